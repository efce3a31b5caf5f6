"""Tests of C{harakatw.outbound.store}."""
