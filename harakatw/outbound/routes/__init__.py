"""Which hosts take the mail for a domain, in what order, and which must not get it."""
