"""Where mail must not go because the DNS says so."""

from twisted.trial.unittest import SynchronousTestCase

from harakatw.outbound.routes.guard import Finding, Guard

OURS = ("203.0.113.9", "2001:db8::9", "127.0.0.1", "10.0.0.9")

NEVER = (
    "0.0.0.0",
    "0.1.2.3",
    "169.254.169.254",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "fe80::1",
    "ff02::1",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "2002:a9fe:a9fe::1",
)
LOOPBACK = ("127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1", "::127.0.0.1")


class GuardTests(SynchronousTestCase):
    """Survey row 17: no loops, and no services that trust this machine."""

    def setUp(self) -> None:
        """The guard as it is by default, and one that is told otherwise."""
        self.guard = Guard(names=frozenset(("me.test",)), addresses=OURS)
        self.open = Guard(names=frozenset(("me.test",)), addresses=OURS, local_ok=True)

    def test_usable(self) -> None:
        """Public and private addresses of others are fine."""
        for ip in (
            "198.51.100.1",
            "10.0.0.1",
            "192.168.1.1",
            "2606:4700::1",
            "fd00::1",
        ):
            self.assertIs(self.guard.judge(ip), Finding.USABLE, ip)

    def test_never(self) -> None:
        """
        Nobody's (RFC 1122 section 3.2.1.3), everybody's and the link's addresses never
        get mail, also where IPv6 hides them (RFC 6052 section 2.1).
        """
        for ip in NEVER:
            self.assertIs(self.guard.judge(ip), Finding.FORBIDDEN, ip)
            self.assertIs(self.open.judge(ip), Finding.FORBIDDEN, ip)

    def test_loopback(self) -> None:
        """Services of this machine get none, unless local_mx_ok says so."""
        for ip in LOOPBACK:
            self.assertIs(self.guard.judge(ip), Finding.FORBIDDEN, ip)
            self.assertIs(self.open.judge(ip), Finding.USABLE, ip)

    def test_ours(self) -> None:
        """Our own addresses are known in each spelling."""
        for ip in ("203.0.113.9", "::ffff:203.0.113.9", "2001:db8:0::9", "10.0.0.9"):
            self.assertIs(self.guard.judge(ip), Finding.OURS, ip)
            self.assertIs(self.open.judge(ip), Finding.USABLE, ip)

    def test_private(self) -> None:
        """A server with public mail only need not let the DNS lead it inside."""
        guard = Guard(private_ok=False)
        for ip in ("10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "fd00::1"):
            self.assertIs(guard.judge(ip), Finding.FORBIDDEN, ip)
        for ip in ("8.8.8.8", "2606:4700::1", "::ffff:8.8.8.8"):
            self.assertIs(guard.judge(ip), Finding.USABLE, ip)

    def test_names(self) -> None:
        """Our own name is no other host's, unless local_mx_ok says so."""
        self.assertTrue(self.guard.is_our_name("me.test"))
        self.assertFalse(self.guard.is_our_name("you.test"))
        self.assertFalse(self.open.is_our_name("me.test"))
