"""The C{haraka} command."""
