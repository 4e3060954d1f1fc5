"""SpacetimeDB's `/v1/identity`: public identities and ES256 tokens. Of the world it knows its own store only."""
