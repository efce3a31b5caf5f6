"""The queue by hand: what a postmaster may ask of it, and the socket for that."""
