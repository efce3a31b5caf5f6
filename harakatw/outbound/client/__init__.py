"""The SMTP and LMTP client: one for the engine and for the plugins that forward."""
