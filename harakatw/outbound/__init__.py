"""Mail that leaves: the queue, the engine that empties it, and the SMTP client."""
