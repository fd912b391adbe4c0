"""Booked callbacks: one for each number, in one fair order with those who wait, dialled at most once an attempt."""
