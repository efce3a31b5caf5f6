"""SASL without I/O: what both sides say, and how it is checked (RFC 4422)."""
