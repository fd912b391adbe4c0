"""Calls as data: facts in, records and effects out. Pure."""
