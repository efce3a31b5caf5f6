"""Networks as a postmaster writes them."""

import ipaddress

from twisted.trial.unittest import SynchronousTestCase

from harakatw.config.networks import Networks, parse_networks
from tests.properties import given, st

ADDRESSES = st.ip_addresses(v=4) | st.ip_addresses(network="2000::/3")


class NetworkTests(SynchronousTestCase):
    """Who is in a list of networks."""

    def test_contains(self) -> None:
        """
        A network holds its addresses and no others (RFC 4632 section 3.1); an address
        holds itself.
        """
        networks = parse_networks(
            ("10.1.2.3/8", "192.0.2.1", "2001:db8::/33", "fe80::1")
        )
        for ip in (
            "10.255.0.1",
            "192.0.2.1",
            "2001:db8:7fff::1",
            "fe80::1",
            "fe80::1%eth0",
        ):
            self.assertTrue(networks.contains(ip), ip)
        for ip in "11.0.0.1", "192.0.2.2", "2001:db8:8000::1", "fe80::2", "::10.0.0.1":
            self.assertFalse(networks.contains(ip), ip)

    def test_mapped(self) -> None:
        """An IPv4 address is the same if written as IPv6 (RFC 4291 section 2.5.5.2)."""
        for networks in (
            parse_networks(("192.0.2.0/24",)),
            parse_networks(("::ffff:192.0.2.0/120",)),
        ):
            self.assertTrue(networks.contains("192.0.2.7"))
            self.assertTrue(networks.contains("::ffff:192.0.2.7"))
            self.assertFalse(networks.contains("::ffff:192.0.3.7"))

    def test_everybody(self) -> None:
        """A list that holds a whole family is known for it."""
        for entry in "0.0.0.0/0", "::/0":
            self.assertTrue(parse_networks((entry,)).hold_everybody)
        self.assertFalse(parse_networks(("0.0.0.0/1", "::/1")).hold_everybody)

    def test_no_address(self) -> None:
        """A client without an address, as on a Unix socket, is in no network."""
        networks = parse_networks(("0.0.0.0/0", "::/0"))
        for ip in "", "example.com", "1.2.3", "%eth0":
            self.assertFalse(networks.contains(ip))

    def test_empty(self) -> None:
        """An empty list holds nobody."""
        self.assertFalse(Networks())
        self.assertFalse(parse_networks(()).contains("192.0.2.1"))

    def test_bad(self) -> None:
        """What is no network is refused, and the message quotes it."""
        for entry in "10.0.0.0/33", "::/129", "10.0.0", "host.example", "10.0.0.0/", "":
            error = self.assertRaises(ValueError, parse_networks, (entry,))
            self.assertIn(repr(entry), str(error))

    @given(ADDRESSES, ADDRESSES, st.integers(0, 128))
    def test_as_the_library(
        self,
        address: ipaddress.IPv4Address | ipaddress.IPv6Address,
        other: ipaddress.IPv4Address | ipaddress.IPv6Address,
        prefix: int,
    ) -> None:
        """Every network holds what Python's library says it holds."""
        prefix = min(prefix, address.max_prefixlen)
        network = ipaddress.ip_network(f"{address}/{prefix}", strict=False)
        found = parse_networks((str(network),))
        self.assertTrue(found.contains(str(address)))
        self.assertEqual(found.contains(str(other)), other in network)
