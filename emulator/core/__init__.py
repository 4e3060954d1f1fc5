"""What everything stands on: time, chance, errors, copy-on-write maps. Nothing here knows HTTP or either API."""
