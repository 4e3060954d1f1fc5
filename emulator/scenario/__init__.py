"""A world described in a file: read, checked, and made."""
