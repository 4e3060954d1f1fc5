"""Intuition's `POST /identity` of early 2024: identities behind an `x-api-key`. It knows its own store only."""
