"""Tests of the plugins that know users."""
