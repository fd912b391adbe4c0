"""The telephone exchange: finding, rendering, starting, checking and asking a real Asterisk."""
