"""SpacetimeDB's `/v1/identity`: public identities and ES256 tokens."""
