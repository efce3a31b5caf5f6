"""Tests of what a running server is made of."""
