"""The sample operator's customers and orders, for the demo and for trying things out."""
