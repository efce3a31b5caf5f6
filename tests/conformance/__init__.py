"""What a client sees, held against RFC 5321 as a program."""
