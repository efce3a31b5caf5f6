"""Tests of the queue by hand: filters, requests, what they do, and the socket."""
