"""The desk as a fixture."""

from tests.orders.conftest import desk

__all__ = ["desk"]
