"""Recorded complaints waiting to become orders: each leaves only as an order or with a reason."""
