"""Where queued mail is kept: in SQLite on this host, or in memory for tests."""
