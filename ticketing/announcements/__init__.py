"""Service announcements before the menu (公告): what callers hear, from when to when, at which numbers (TL-26)."""
