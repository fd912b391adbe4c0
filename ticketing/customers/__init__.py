"""Customers: who they are, by which numbers they are known, and what the agent should see when they call."""
