"""Tests of C{harakatw.message.seven_bit}."""
