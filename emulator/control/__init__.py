"""The handle for tests, in-process and over HTTP (`remote`), and the control routes (`api`)."""
