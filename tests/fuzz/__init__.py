"""Parsers under fire: inputs that nobody would write, in any number."""
