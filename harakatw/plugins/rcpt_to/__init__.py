"""Plugins that rule on recipients."""
