"""Networks out of a postmaster's list, as plugins import them."""

from harakatw.config.networks import (
    IPNetwork,
    Networks,
    check_networks,
    parse_network,
    parse_networks,
)

__all__ = [
    "IPNetwork",
    "Networks",
    "check_networks",
    "parse_network",
    "parse_networks",
]
