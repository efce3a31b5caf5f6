"""Tests of the outbound engine."""
