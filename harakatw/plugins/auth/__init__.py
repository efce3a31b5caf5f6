"""Plugins that know users: who may log in."""
