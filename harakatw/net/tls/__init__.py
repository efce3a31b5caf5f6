"""TLS for both sides: keys, certificates, contexts, and octets in and out."""
