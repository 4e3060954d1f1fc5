"""How long tests wait for what is sure to come."""

LIMIT = 600.0
"""Seconds after which a test that would hang for ever is given up.

No test says with it how quick anything is: the slowest step takes ten seconds on a quiet machine, and a busy one may
take many times that.
"""
