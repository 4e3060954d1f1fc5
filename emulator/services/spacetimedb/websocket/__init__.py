"""SpacetimeDB over a WebSocket."""
