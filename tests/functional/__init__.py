"""Tests with real sockets, files and time."""
