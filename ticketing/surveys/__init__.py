"""Grades customers give, and the follow-up of bad ones."""
