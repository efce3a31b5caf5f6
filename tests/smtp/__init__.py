"""Tests of the inbound side, from greeting to farewell."""
