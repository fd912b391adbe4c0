"""Voice files as facts keyed by call: checked, hashed, drawn, played by short-lived links. Knows no telephony."""
