"""What hangs on a person at the end of his shift, and giving it to others (TL-44)."""
