"""AUTH: what plugins that check passwords, keys, tokens and certificates share."""
