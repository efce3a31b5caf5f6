"""The process: workers, users, and what runs at start and stop."""
