"""Readers of what Asterisk, and through it any caller, can send: what holds for every byte string (S03, S04, S23)."""
