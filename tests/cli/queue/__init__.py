"""Tests of the command `haraka queue`."""
