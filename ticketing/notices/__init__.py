"""Messages to customers and departments, by text message and e-mail (TL-25)."""
