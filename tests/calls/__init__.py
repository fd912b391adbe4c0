"""Tests of the call reducer, the decoder, the figures and the call tables."""
