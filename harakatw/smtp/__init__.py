"""Inbound SMTP on Twisted."""
