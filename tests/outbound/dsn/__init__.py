"""Tests of what senders are told."""
