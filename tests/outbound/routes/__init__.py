"""Tests of the way that mail takes."""
