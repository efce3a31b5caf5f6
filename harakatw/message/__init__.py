"""One message: its octets, its header, its trace field, and how it is written out."""
