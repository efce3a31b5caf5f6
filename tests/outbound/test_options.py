"""outbound.ini."""

from harakatw.config.options import Loaded, load_options
from harakatw.outbound.client.timeouts import ClientOptions
from harakatw.outbound.client.tls_rules import OutboundTLSOptions
from harakatw.outbound.dsn.options import BounceOptions
from harakatw.outbound.options import OutboundOptions, SiteLimits
from harakatw.outbound.rates import Rate
from tests.config.folders import ConfigTestCase

OTHERS = (
    ("outbound", ClientOptions),
    ("outbound", BounceOptions),
    ("outbound", OutboundTLSOptions),
)


class OptionsTestCase(ConfigTestCase):
    """A test with an C{outbound.ini}."""

    def load(self, text: str = "") -> Loaded[OutboundOptions]:
        """What the text says."""
        self.write("outbound.ini", text)
        return load_options(OutboundOptions, self.files(), "outbound", also=OTHERS)

    def complaint(self, text: str) -> str:
        """The only problem of the text; the defaults hold."""
        loaded = self.load(text)
        self.assertEqual(len(loaded.problems), 1, loaded.problems)
        self.assertEqual(loaded.options, OutboundOptions())
        return str(loaded.problems[0])


class OptionTests(OptionsTestCase):
    """What Haraka's keys mean, and ours."""

    def test_defaults(self) -> None:
        """Without a file, mail is tried for three days, 500 at a time."""
        options = self.load().checked()
        self.assertEqual((options.disabled, options.concurrency_max), (False, 500))
        self.assertEqual(sum(options.intervals), 262080)
        self.assertEqual((options.max_lifetime, options.delay_warning), (432000, 14400))
        self.assertEqual((options.local_mx_ok, options.private_mx_ok), (False, True))
        self.assertEqual(
            (options.inet_prefer, options.always_split), ("default", False)
        )
        self.assertEqual(options.received_text, "Haraka outbound")

    def test_every_key(self) -> None:
        """Each key reaches its option."""
        options = self.load(
            "disabled=true\nconcurrency_max=7\nmaxTempFailures=3\nalways_split=true\n"
            "received_header=by us\nlocal_mx_ok=true\nprivate_mx_ok=false\n"
            "inet_prefer=v4\nmax_lifetime=2d\ndelay_warning=0\n"
            "[limits]\nconnections=9\nrate=10/s\n"
        ).checked()
        wanted = OutboundOptions(
            disabled=True,
            concurrency_max=7,
            max_temp_failures=3,
            always_split=True,
            received_header="by us",
            local_mx_ok=True,
            private_mx_ok=False,
            inet_prefer="v4",
            max_lifetime=172800,
            delay_warning=0,
            connections=9,
            rate="10/s",
        )
        self.assertEqual(options, wanted)
        self.assertEqual(options.intervals, (64, 128))
        self.assertEqual(options.received_text, "by us")

    def test_foreign_keys(self) -> None:
        """A file with keys for the client and for bounces is right, too."""
        options = self.load(
            "enable_tls=false\nconcurrency_max=100\nlocal_mx_ok=true\n"
            "connect_timeout=10\n[bounce]\nmax_returned_bytes=0\n"
        ).checked()
        self.assertEqual(options.sites, {})

    def test_intervals(self) -> None:
        """A list of intervals says all; a number of attempts has no effect then."""
        options = self.load("temp_fail_intervals=1m,5m*2\nmaxTempFailures=9").checked()
        self.assertEqual(options.intervals, (60, 300, 300))
        self.assertEqual(self.load("temp_fail_intervals=none").checked().intervals, ())

    def test_bad_intervals(self) -> None:
        """A slip in the list is told with its line, and the default holds."""
        text = self.complaint("temp_fail_intervals=1m,5x")
        self.assertIn("outbound.ini:1", text)
        self.assertIn("'5x' is not an interval such as 30s", text)

    def test_no_received(self) -> None:
        """The Received header can be left out."""
        options = self.load("received_header=Disabled").checked()
        self.assertEqual(options.received_text, "")

    def test_bad_received(self) -> None:
        """What would break the header is refused."""
        self.assertIn("printable ASCII", self.complaint("received_header=a (b"))
        self.assertIn("printable ASCII", self.complaint("received_header=\u00e9"))

    def test_out_of_range(self) -> None:
        """Limits that would stop all mail, or that nobody can mean, are refused."""
        for line, why in (
            ("concurrency_max=0", "at least 1"),
            ("maxTempFailures=0", "at least 1"),
            ("max_lifetime=1", "at least 60"),
            ("delay_warning=-1", "at least 0"),
            ("inet_prefer=v5", "not one of default, v4, v6"),
            ("[limits]\nconnections=0", "at least 1"),
            ("[limits]\nrate=fast", "neither none nor a rate"),
        ):
            self.assertIn(why, self.complaint(line))

    def test_slips(self) -> None:
        """An unknown key is told with the one that was meant."""
        self.assertIn("concurrency_max", self.complaint("concurency_max=1"))


class SiteTests(OptionsTestCase):
    """Limits of single sites."""

    TEXT = (
        "[limits]\nconnections=10\nrate=100/min\n"
        "[google.com]\nconnections=50\n"
        "[L.Google.com]\nconnections=30\nrate=none\nmessages_per_connection=5\n"
        "[m\u00fcnchen.example]\nrate=1/s\n"
        "[mx.sink.test:2525]\nconnections=1\n"
    )

    def test_default(self) -> None:
        """A site without a section has the limits of all."""
        options = self.load(self.TEXT).checked()
        wanted = SiteLimits(connections=10, rate=Rate(100, 60))
        for site in ("mx.test", "com", "notgoogle.com", "(a.test|google.com)", "(a|b)"):
            self.assertEqual(options.limits_for(site), wanted)

    def test_above(self) -> None:
        """A section is for all hosts below its name; the longest name counts."""
        options = self.load(self.TEXT).checked()
        near = SiteLimits(connections=30, messages_per_connection=5)
        for site in ("l.google.com", "a.l.google.com", "(alt1|alt2.a).l.google.com"):
            self.assertEqual(options.limits_for(site), near)
        far = SiteLimits(connections=50, rate=Rate(100, 60))
        for site in ("google.com", "(l|m).google.com", "smtp.google.com:587"):
            self.assertEqual(options.limits_for(site), far)

    def test_hop(self) -> None:
        """A hop that a plugin names has limits by its name with the port."""
        options = self.load(self.TEXT).checked()
        self.assertEqual(options.limits_for("mx.sink.test:2525").connections, 1)
        self.assertEqual(options.limits_for("mx.sink.test:25").connections, 10)

    def test_own_queue(self) -> None:
        """A recipient domain with a section has limits and a queue of its own."""
        options = self.load(self.TEXT).checked()
        self.assertTrue(options.has_own_queue("xn--mnchen-3ya.example"))
        self.assertFalse(options.has_own_queue("other.example"))
        limits = options.limits_for("xn--mnchen-3ya.example")
        self.assertEqual(limits, SiteLimits(connections=10, rate=Rate(1, 1)))

    def test_bad_site(self) -> None:
        """A slip in a site's section is told with the section."""
        loaded = self.load("[a.test]\nconections=1\n[b.test]\nrate=1/w\n")
        told = sorted(map(str, loaded.problems))
        self.assertEqual(len(told), 2, told)
        self.assertIn("connections", told[0])
        self.assertIn("1/w", told[1])
