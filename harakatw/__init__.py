"""Haraka, the plugin-based SMTP server, rebuilt in Python on Twisted."""
