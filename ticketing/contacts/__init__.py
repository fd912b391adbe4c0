"""Contacts: one line for each call, letter or message, joined to the orders it was about."""
