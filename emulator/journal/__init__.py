"""Recorded exchanges: as values, asked about, masked, and shown to people. Nothing here sends or receives."""
