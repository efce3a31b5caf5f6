"""The C{haraka} command: making, checking, running and trying instances."""
