"""The options of one SMTP session."""

from harakatw.config.connection import ConnectionOptions
from harakatw.config.core import LogOptions, ServerOptions
from harakatw.config.options import Loaded, load_options
from tests.config.folders import ConfigTestCase

HARAKA_SAMPLE = """
[main]
spool_dir=/tmp
[haproxy]
hosts[] =
[headers]
max_lines=1000
max_received=100
[max]
bytes=26214400
mime_parts=1000
line_length=512
data_line_length=992
[message]
helo=Welcome.
close=Bye.
[uuid]
banner_chars=6
deny_chars=0
"""


class ConnectionTests(ConfigTestCase):
    """connection.ini."""

    def _load(self, text: str = "") -> Loaded[ConnectionOptions]:
        self.write("connection.ini", text)
        return load_options(ConnectionOptions, self.files(), "connection")

    def test_defaults(self) -> None:
        """Without a file a session has sane limits; Haraka's has none and fails."""
        options = self._load().checked()
        self.assertEqual(options.max_bytes, 26214400)
        self.assertEqual(options.spool_after, 4194304)
        self.assertEqual(
            (options.max_line_length, options.max_recipients), (2048, 1000)
        )
        self.assertEqual((options.bare_newline, options.smtputf8), ("refuse", True))

    def test_every_key(self) -> None:
        """Each key of each section reaches its option."""
        loaded = self._load(
            "spool_dir=/s\nspool_after=-1\nstrict_rfc1869=1\npostel=1\nsmtputf8=0\n"
            "bare_newline=normalise\n"
            "[headers]\nadd_received=0\nclean_auth_results=0\nshow_version=0\n"
            "max_lines=10\nmax_received=20\n"
            "[max]\nbytes=1M\nline_length=1000\ndata_line_length=2000\n"
            "recipients=100\nerrors=5\nmessages=6\nconnections=7\nconnections_per_ip=8\n"
            "transaction_seconds=10m\ndata_rate=1K\n"
            "[message]\ngreeting[]=Hello there\ngreeting[]=friend\nhelo=a\nclose=b\n"
            "[uuid]\nbanner_chars=40\ndeny_chars=6\n"
        )
        loaded = load_options(ConnectionOptions, self.files(), "connection")
        self.assertEqual(
            loaded.checked(),
            ConnectionOptions(
                spool_dir="/s",
                spool_after=-1,
                strict_rfc1869=True,
                postel=True,
                smtputf8=False,
                bare_newline="normalise",
                add_received=False,
                clean_auth_results=False,
                show_version=False,
                max_header_lines=10,
                max_received=20,
                max_bytes=1048576,
                max_line_length=1000,
                max_data_line_length=2000,
                max_recipients=100,
                max_errors=5,
                max_messages=6,
                max_connections=7,
                max_connections_per_ip=8,
                max_transaction_seconds=600,
                min_data_rate=1024,
                greeting=("Hello there", "friend"),
                helo="a",
                close="b",
                banner_chars=40,
                deny_chars=6,
            ),
        )
        self.assertEqual(loaded.problems, ())

    def test_minimum_of_the_standard(self) -> None:
        """Fewer than 100 recipients are refused (RFC 5321 section 4.5.3.1.8)."""
        loaded = self._load("[max]\nrecipients=50\n")
        self.assertEqual(loaded.options.max_recipients, 1000)
        self.assertEqual(
            [str(problem) for problem in loaded.problems],
            [
                "config/connection.ini:2: [max] recipients: 50 is out of range: it "
                "must be at least 100; 1000 is used"
            ],
        )

    def test_ranges(self) -> None:
        """Values that would stop all mail are refused."""
        for text in (
            "spool_after=-2",
            "[max]\nbytes=-1",
            "[max]\nline_length=100",
            "[max]\ndata_line_length=10",
            "[max]\nerrors=0",
            "[max]\nconnections=0",
            "[max]\ntransaction_seconds=5",
            "[headers]\nmax_received=0",
            "[uuid]\nbanner_chars=41",
        ):
            loaded = self._load(text)
            self.assertEqual(len(loaded.errors), 1, text)
            self.assertEqual(loaded.options, ConnectionOptions())

    def test_haproxy(self) -> None:
        """Proxies are named by address or network, and can be switched off."""
        text = "[haproxy]\nhosts[]=192.0.2.1\nhosts[]=2001:db8::/32\n"
        loaded = self._load(text)
        self.assertEqual(loaded.problems, ())
        self.assertTrue(loaded.options.proxies.contains("192.0.2.1"))
        self.assertTrue(loaded.options.proxies.contains("2001:db8::7"))
        self.assertFalse(loaded.options.proxies.contains("192.0.2.2"))
        self.assertFalse(self._load(text + "enabled=false\n").options.proxies)

    def test_bad_proxy(self) -> None:
        """A host's name is not enough: it might be anybody's tomorrow."""
        (problem,) = self._load("[haproxy]\nhosts[]=proxy.example\n").errors
        self.assertIn("'proxy.example' is not an IP address or a network", str(problem))

    def test_sample_of_haraka(self) -> None:
        """The file that Haraka's installer writes is right as it is."""
        self.assertEqual(self._load(HARAKA_SAMPLE).errors, ())


class WholeInstanceTests(ConfigTestCase):
    """An instance directory of Haraka is taken as it is."""

    def test_no_problem(self) -> None:
        """None of its files says anything strange."""
        self.write("me", "mx.example\n")
        self.write("host_list", "example.com\n")
        self.write("plugins", "rcpt_to.in_host_list\nqueue/smtp_forward\n")
        self.write("smtp.ini", "listen=127.0.0.1:26500\nnodes=0\n")
        self.write("log.ini", "[main]\nlevel=error\n")
        self.write(
            "connection.ini",
            "[main]\nspool_dir=/tmp\n[haproxy]\n[headers]\n[max]\nbytes=26214400\n"
            "line_length=512\ndata_line_length=992\nmime_parts=1000\n[message]\n[uuid]\n",
        )
        files = self.files()
        self.assertEqual(load_options(ServerOptions, files, "smtp").problems, ())
        self.assertEqual(load_options(LogOptions, files, "log").problems, ())
        loaded = load_options(ConnectionOptions, files, "connection")
        self.assertEqual(loaded.errors, ())
        self.assertEqual(loaded.options.max_line_length, 512)
