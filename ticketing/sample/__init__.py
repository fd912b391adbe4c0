"""The sample operator's customers and orders, for the demo and for trying things out."""

from ticketing.sample.load import DEMO_CALLER, load_sample

__all__ = ["DEMO_CALLER", "load_sample"]
