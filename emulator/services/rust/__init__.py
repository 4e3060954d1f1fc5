"""What both real servers say because they are written in Rust: serde's sentences, debug formats. No API in here."""
