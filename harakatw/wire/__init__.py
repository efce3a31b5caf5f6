"""SMTP without I/O: bytes in, values out; imports nothing of Twisted."""
