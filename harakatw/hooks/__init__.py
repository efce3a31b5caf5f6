"""The plugin host: finding, loading, ordering and running plugins."""
