"""Look-ups through twisted.names: time-outs, limits and a bounded cache."""
