"""Process templates: which work orders a kind of order yields, in versions that never change (DP-02, DP-14)."""
