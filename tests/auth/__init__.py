"""Tests of what plugins for AUTH share."""
