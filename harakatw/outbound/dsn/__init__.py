"""Delivery status notifications: what a sender is told of the mail's fate."""
