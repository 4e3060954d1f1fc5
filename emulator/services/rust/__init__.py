"""Python versions of the Rust libraries whose texts both real servers send: serde, serde_json, base64, Debug format."""
