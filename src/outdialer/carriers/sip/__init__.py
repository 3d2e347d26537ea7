"""Calls over real SIP."""
