"""The options of the server and of the log."""

from harakatw.config.core import (
    LogOptions,
    PluginTimeoutOptions,
    ServerOptions,
    log_level,
)
from harakatw.config.options import Loaded, load_options
from tests.config.folders import ConfigTestCase


class ServerTests(ConfigTestCase):
    """smtp.ini and the files beside it."""

    def _load(self, text: str = "") -> Loaded[ServerOptions]:
        if text:
            self.write("smtp.ini", text)
        return load_options(ServerOptions, self.files(), "smtp")

    def _wrong(self, text: str) -> list[str]:
        return [str(problem) for problem in self._load(text).problems]

    def _addresses(self, text: str) -> list[str]:
        loaded = self._load(text)
        self.assertEqual(loaded.problems, ())
        return [str(address) for address in loaded.options.addresses]

    def test_nothing_set(self) -> None:
        """A server without files listens everywhere at port 25, in one process."""
        options = self._load().checked()
        self.assertEqual([str(a) for a in options.addresses], ["[::]:25"])
        self.assertEqual((options.nodes, options.inactivity_timeout), ("0", 300))
        self.assertEqual((options.plugin_timeout, options.me), (30, ""))

    def test_files_beside(self) -> None:
        """Name, plugins, time limit and queue have files of their own."""
        self.write("me", "mx.example.com\n")
        self.write("plugins", "# first\ntls\n\nqueue/smtp_forward\n")
        self.write("plugin_timeout", "1m\n")
        self.write("queue_dir", "/var/spool/haraka\n")
        options = self._load().checked()
        self.assertEqual(options.me, "mx.example.com")
        self.assertEqual(options.plugins, ("tls", "queue/smtp_forward"))
        self.assertEqual(options.plugin_timeout, 60)
        self.assertEqual(options.queue_dir, "/var/spool/haraka")

    def test_listen(self) -> None:
        """listen holds one address or several."""
        self.assertEqual(
            self._addresses("listen=127.0.0.1:26500\n"), ["127.0.0.1:26500"]
        )
        self.assertEqual(
            self._addresses("listen=127.0.0.1, [::1]:587, /run/haraka:600\n"),
            ["127.0.0.1:25", "[::1]:587", "/run/haraka:600"],
        )

    def test_old_pair(self) -> None:
        """listen_host and port come first, and alone they are all."""
        self.assertEqual(self._addresses("port=587\n"), ["[::]:587"])
        self.assertEqual(self._addresses("listen_host=127.0.0.1\n"), ["127.0.0.1:25"])
        self.assertEqual(
            self._addresses("listen_host=::1\nport=587\nlisten=127.0.0.1\n"),
            ["[::1]:587", "127.0.0.1:25"],
        )
        self.assertEqual(self._addresses("port=25\nlisten=[::0]:25\n"), ["[::]:25"])

    def test_bad_addresses(self) -> None:
        """An address that cannot be listened on is told with its line."""
        self.assertEqual(
            self._wrong("\nlisten=127.0.0.1:99999\n"),
            [
                "config/smtp.ini:2: [main] listen: '127.0.0.1:99999' has no port "
                "between 0 and 65535"
            ],
        )
        (wrong,) = self._wrong("listen_host=mail.example\n")
        self.assertIn("'mail.example' is not an IP address", wrong)

    def test_nodes(self) -> None:
        """Workers are a number or cpus."""
        for nodes in ("0", "1", "16", "cpus"):
            self.assertEqual(self._load(f"nodes={nodes}\n").checked().nodes, nodes)
        self.assertEqual(
            self._wrong("nodes=all\n"),
            [
                "config/smtp.ini:1: [main] nodes: 'all' is neither a number of "
                "processes nor cpus; 0 is used"
            ],
        )

    def test_name(self) -> None:
        """A server's name that would break a header or reply is refused."""
        self.write("me", "mx example\n")
        loaded = self._load()
        self.assertEqual(loaded.options.me, "")
        self.assertIn("is not a host name", str(loaded.problems[0]))

    def test_not_yet(self) -> None:
        """Keys of Haraka that do nothing here are notices."""
        loaded = self._load(
            "public_ip=192.0.2.1\nspool_dir=/tmp\n[headers]\nmax_received=50\n"
        )
        self.assertEqual(loaded.errors, ())
        self.assertEqual(
            [(p.line, p.key) for p in loaded.problems],
            [
                (1, "public_ip"),
                (2, "spool_dir"),
                (4, "max_received"),
            ],
        )
        self.assertIn("connection.ini", str(loaded.problems[1]))

    def test_plugin_timeout(self) -> None:
        """A plugin may have a time limit of its own."""
        name = "queue/smtp_forward"
        absent = load_options(PluginTimeoutOptions, self.files(), name)
        self.assertIsNone(absent.options.timeout)
        self.assertIn("queue/smtp_forward.timeout", absent.files)
        self.write("queue/smtp_forward.timeout", "0\n")
        present = load_options(PluginTimeoutOptions, self.files(), name)
        self.assertEqual(present.checked().timeout, 0)


class LogTests(ConfigTestCase):
    """log.ini, and the two files that replace parts of it."""

    def _load(self, text: str = "") -> Loaded[LogOptions]:
        self.write("log.ini", text)
        return load_options(LogOptions, self.files(), "log")

    def test_defaults(self) -> None:
        """Without a file, what is worth knowing is logged, with the time."""
        options = self._load().checked()
        self.assertEqual(
            (options.level, options.timestamps, options.format),
            ("info", True, "default"),
        )

    def test_ini(self) -> None:
        """log.ini says what and how."""
        options = self._load("level=ERROR\ntimestamps=false\nformat=json\n").checked()
        self.assertEqual(
            (options.level, options.timestamps, options.format),
            ("error", False, "json"),
        )

    def test_files_replace(self) -> None:
        """loglevel and log_timestamps stand above log.ini while they are there."""
        self.write("loglevel", "LOGPROTOCOL\n")
        self.write("log_timestamps", "0\n")
        options = self._load("level=error\ntimestamps=true\n").checked()
        self.assertEqual((options.level, options.timestamps), ("protocol", False))

    def test_levels(self) -> None:
        """A level may be Haraka's name, its constant or its number."""
        for text in ("notice", "NOTICE", "LOGNOTICE", "5", " notice "):
            self.assertEqual(log_level(text), "notice")
        for text in ("", "loud", "LOG", "10", "LOG LOUD"):
            self.assertRaises(ValueError, log_level, text)

    def test_bad_level(self) -> None:
        """A level that does not exist is told, and the usual one counts."""
        self.write("loglevel", "loud\n")
        loaded = self._load("level=quiet\n")
        self.assertEqual(loaded.options.level, "info")
        self.assertEqual(
            sorted(p.file for p in loaded.errors), ["config/log.ini", "config/loglevel"]
        )
