"""Process templates and the responsibility map."""
