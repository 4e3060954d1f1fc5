"""Handlers of the control routes, in files named for what they read and change. Their requests are not journaled."""
