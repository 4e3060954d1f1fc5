"""What both real servers say because they are written in Rust."""
