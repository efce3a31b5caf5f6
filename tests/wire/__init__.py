"""Tests of SMTP without I/O."""
