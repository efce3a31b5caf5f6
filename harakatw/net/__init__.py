"""What both ends of an SMTP connection need of a transport."""
