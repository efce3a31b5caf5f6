"""Every zope interface: the contracts between the parts and with plugins."""
