"""The rcpt_to plugins."""
