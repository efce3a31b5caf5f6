"""Readers of the project's own source, each with its tests."""
