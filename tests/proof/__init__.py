"""Long runs that anyone can repeat: `make proof-NAME`."""
