"""Names in the hosts file."""

from pathlib import Path

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from harakatw.dns.hosts import HostsFile, is_localhost, parse_hosts_file


class HostsFileTests(SynchronousTestCase):
    """The hosts file names hosts that the DNS does not have."""

    def setUp(self) -> None:
        """A hosts file."""
        self.clock = Clock()
        self.path = Path(self.mktemp())
        self.hosts = HostsFile(self.path, self.clock)

    def test_parse(self) -> None:
        """Comments, several names, both families, case and dots at the end."""
        known = parse_hosts_file(
            "# a comment\n192.0.2.1\tMail.Test mail # me\n\n2001:db8::1 mail.test.\n"
            "192.0.2.1 mail.test\nnot-an-address x.test\nfe80::1%eth0 x.test\n192.0.2.9"
        )
        self.assertEqual(
            dict(known),
            {"mail.test": ("192.0.2.1", "2001:db8::1"), "mail": ("192.0.2.1",)},
        )

    def test_changed(self) -> None:
        """A change takes effect within half a minute, also when the file goes."""
        self.assertEqual(self.hosts.addresses("a.test"), ())
        self.path.write_text("192.0.2.1 a.test\n")
        self.clock.advance(30)
        self.assertEqual(self.hosts.addresses("a.test"), ("192.0.2.1",))
        self.clock.advance(30)
        self.assertEqual(self.hosts.addresses("a.test"), ("192.0.2.1",))
        self.path.unlink()
        self.assertEqual(self.hosts.addresses("a.test"), ("192.0.2.1",))
        self.clock.advance(30)
        self.assertEqual(self.hosts.addresses("a.test"), ())

    def test_localhost(self) -> None:
        """The local host has a name on every machine, unless the file has another."""
        self.assertEqual(self.hosts.addresses("localhost"), ("::1", "127.0.0.1"))
        self.assertEqual(self.hosts.addresses("a.localhost"), ("::1", "127.0.0.1"))
        self.path.write_text("127.0.0.7 localhost\n")
        self.clock.advance(30)
        self.assertEqual(self.hosts.addresses("localhost"), ("127.0.0.7",))
        self.assertFalse(is_localhost("notlocalhost"))

    def test_not_text(self) -> None:
        """Foreign octets in the file spoil no other line."""
        self.path.write_bytes(b"\xff\xfe 1\n192.0.2.1 a.test\n")
        self.assertEqual(self.hosts.addresses("a.test"), ("192.0.2.1",))
