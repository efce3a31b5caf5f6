"""Plugins that take responsibility for a message, or make away with it."""
