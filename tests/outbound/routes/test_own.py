"""Our own addresses."""

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from harakatw.outbound.routes.own import interface_addresses

FIB = """\
Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     +-- 192.0.2.0/24 2 0 2
        |-- 192.0.2.0
           /24 link UNICAST
        |-- 192.0.2.7
           /32 host LOCAL
        |-- 192.0.2.255
           /32 link BROADCAST
     |-- 127.0.0.1
        /32 host LOCAL
"""
SIX = """\
00000000000000000000000000000001 01 80 10 80       lo
20010db8000000000000000000000007 02 40 00 80     eth0
"""


class OwnAddressTests(SynchronousTestCase):
    """The system tells which addresses its interfaces have."""

    def test_linux(self) -> None:
        """Both families are read, and networks are no addresses."""
        folder = Path(self.mktemp())
        folder.mkdir()
        (folder / "fib_trie").write_text(FIB)
        (folder / "if_inet6").write_text(SIX)
        wanted = {"192.0.2.7", "127.0.0.1", "::1", "2001:db8::7"}
        self.assertEqual(interface_addresses(folder), wanted)

    def test_elsewhere(self) -> None:
        """A system that does not tell is none to fail on."""
        self.assertEqual(interface_addresses(Path(self.mktemp())), frozenset())
