"""Tests of C{harakatw.net.tls}."""
