"""The dialler of booked callbacks."""
