"""Tests of C{harakatw.message}."""
