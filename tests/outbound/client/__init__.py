"""Tests of the SMTP and LMTP client."""
