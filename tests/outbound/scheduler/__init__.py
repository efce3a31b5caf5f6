"""Tests of the scheduler, in virtual time."""
