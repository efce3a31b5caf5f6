"""When each queued message is tried, and how many at a time."""
