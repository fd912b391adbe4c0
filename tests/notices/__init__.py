"""Messages that leave: rules, rows, delivery, both adapters."""
