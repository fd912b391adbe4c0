"""One offline reader that proves of an installation that nothing was lost: invariants N1 to N6. It writes nothing."""
