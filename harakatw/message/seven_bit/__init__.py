"""Making a message of 8bit or binary parts fit for hosts that take 7bit only."""
