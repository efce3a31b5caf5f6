"""What hostile clients, messages and plugins do, one file for each class of bug."""
