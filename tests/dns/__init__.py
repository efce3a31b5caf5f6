"""Tests of look-ups in the DNS."""
