"""Recorded exchanges: values, queries and assertions, masking of secrets, reports. No I/O."""
