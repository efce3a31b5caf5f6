"""C{haraka queue}: the queue by hand, of a server that runs or of one that does not."""
