"""Intuition's REST API for identities of early 2024: `POST /identity` and its neighbours, with an `x-api-key`."""
