"""`GET /v1/database/:name_or_identity/subscribe`: the handshake, and what is said on the socket after it."""
