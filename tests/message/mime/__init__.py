"""Tests of C{harakatw.message.mime}."""
