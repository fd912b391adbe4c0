"""Tests of the hand-over at sign-off."""
