"""The queue plugins."""
