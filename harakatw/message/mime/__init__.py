"""The MIME structure of a message: walked as it comes, read, and rewritten."""
