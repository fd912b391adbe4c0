"""Clocks: every limit of an order as segments with reasons; deadlines are derived from them."""
