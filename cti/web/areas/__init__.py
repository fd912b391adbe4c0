"""The routes, one module per area: parse, ask the policy, one action in one transaction, JSON."""
