"""Plugins that look at the message."""
