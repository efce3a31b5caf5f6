"""The data plugins."""
