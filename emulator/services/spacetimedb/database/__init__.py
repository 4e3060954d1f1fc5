"""SpacetimeDB's `/v1/database/**`: its edge, and the databases that the emulator has."""
