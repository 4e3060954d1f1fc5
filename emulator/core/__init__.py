"""Shared foundations: clock, randomness, errors, copy-on-write maps. Nothing here knows HTTP or an emulated API."""
