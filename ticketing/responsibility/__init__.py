"""The responsibility map: which unit has which duty for which kind of order, from which day (AD-03, DP-10, IN-20)."""
