"""Tests of C{harakatw.process.certificates}."""

from pathlib import Path

from twisted.internet.task import Clock
from twisted.logger import formatEvent

from harakatw.process.certificates import (
    LOOK_SECONDS,
    RENEW_SECONDS,
    Certificates,
    tls_problems,
)
from harakatw.process.settings import Settings, read_settings
from tests.certificates import NOW, own, write_pair
from tests.config.folders import ConfigTestCase
from tests.log_events import collect_log


class CertificatesTests(ConfigTestCase):
    """What a server's sessions are encrypted with, from day to day."""

    def setUp(self) -> None:
        """A server that looks after its certificates."""
        super().setUp()
        self.write("me", "mail.example\n")
        self.events = collect_log(self)
        self.clock = Clock()
        self.told: list[float] = []
        self.certificates = Certificates(
            self.clock,
            lambda: NOW.timestamp() + self.clock.seconds(),
            lambda: self.told.append(self.clock.seconds()),
        )

    def settings(self) -> Settings:
        """What the files say."""
        return read_settings(self.directory)

    def logged(self) -> str:
        """All that was logged since the last call."""
        text = "\n".join(str(formatEvent(event)) for event in self.events)
        self.events.clear()
        return text

    def begin(self) -> None:
        """The server starts."""
        self.certificates.load(self.settings())
        self.certificates.start()
        self.addCleanup(self.certificates.stop)

    def names(self) -> set[str]:
        """For whom there are certificates."""
        table = self.certificates.tls.table
        return set() if table is None else {n for p in table.pairs for n in p.names}

    def test_none(self) -> None:
        """Without a certificate there is no TLS, and no word about it."""
        self.begin()
        self.assertFalse(self.certificates.tls.is_ready)
        self.assertEqual(self.logged(), "")

    def test_reload(self) -> None:
        """A change in config/ is for the next handshake."""
        write_pair(self.directory, own("mail.example"))
        self.begin()
        write_pair(self.directory, own("new.example"))
        self.certificates.configure(self.settings())
        self.assertEqual(self.names(), {"new.example"})

    def test_nothing_changed(self) -> None:
        """A change of another file does not make all contexts anew."""
        write_pair(self.directory, own("mail.example"))
        self.begin()
        table = self.certificates.tls.table
        self.write("smtp.ini", "inactivity_timeout=77\n")
        self.certificates.configure(self.settings())
        self.assertIs(self.certificates.tls.table, table)

    def test_options(self) -> None:
        """A change of tls.ini is one of TLS."""
        write_pair(self.directory, own("mail.example"))
        self.begin()
        self.write("tls.ini", "minVersion=TLSv1.3\nno_starttls_ports[]=25\n")
        self.certificates.configure(self.settings())
        table = self.certificates.tls.table
        assert table is not None
        self.assertEqual(table.default.profile.wanted.min_version, "TLSv1.3")
        self.assertFalse(self.certificates.tls.is_offered("192.0.2.1", 25, 0))

    def test_behind_a_link(self) -> None:
        """
        A file elsewhere, to which a link in config/ leads, is looked at once a minute.
        """
        elsewhere = Path(self.mktemp()).absolute()
        write_pair(elsewhere, own("mail.example"))
        for name in ("tls_key.pem", "tls_cert.pem"):
            (self.directory / name).symlink_to(elsewhere / name)
        self.begin()
        write_pair(elsewhere, own("new.example"))
        self.clock.advance(LOOK_SECONDS)
        self.assertEqual(self.names(), {"new.example"})
        self.assertIn("a key or certificate changed", self.logged())

    def test_of_outbound(self) -> None:
        """
        Such a file is noticed, too, if it is for mail that leaves, and whoever sends
        that is told; once, and not if nothing changed.
        """
        elsewhere = Path(self.mktemp()).absolute()
        write_pair(elsewhere, own("mail.example"))
        (self.directory / "out.pem").symlink_to(elsewhere / "tls_cert.pem")
        self.write("tls.ini", "[outbound]\nca=out.pem\n")
        self.begin()
        self.clock.advance(LOOK_SECONDS)
        self.assertEqual(self.told, [])
        write_pair(elsewhere, own("new.example"))
        self.clock.pump([LOOK_SECONDS] * 2)
        self.assertEqual(self.told, [2 * LOOK_SECONDS])

    def test_broken(self) -> None:
        """A file that breaks is named, and its certificate stays in use."""
        write_pair(self.directory, own("mail.example"), "tls/a.")
        self.begin()
        self.write("tls/a.cert.pem", "")
        self.certificates.configure(self.settings())
        self.assertEqual(self.names(), {"mail.example"})
        self.write(
            "tls/a.cert.pem",
            "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n",
        )
        self.certificates.configure(self.settings())
        self.assertEqual(self.names(), {"mail.example"})
        self.assertIn("config/tls/a.cert.pem", self.logged())

    def test_daily(self) -> None:
        """
        Once a day the keys of tickets change (RFC 9325 section 3.4), and certificates
        that end are told of.
        """
        write_pair(self.directory, own("mail.example", days=14.5))
        self.begin()
        table = self.certificates.tls.table
        self.assertEqual(self.logged(), "")
        self.clock.pump([LOOK_SECONDS] * int(RENEW_SECONDS / LOOK_SECONDS))
        self.assertIsNot(self.certificates.tls.table, table)
        self.assertIn("expires in 13 days", self.logged())
        self.assertEqual(self.names(), {"mail.example"})

    def test_expired(self) -> None:
        """One that has ended is told at the start, and used: it is better than none."""
        write_pair(self.directory, own("mail.example", days=-2))
        self.begin()
        self.assertIn("mail.example expired on 2025-12-30", self.logged())
        self.assertTrue(self.certificates.tls.is_ready)

    def test_stop(self) -> None:
        """A server that stopped leaves no timer."""
        self.certificates.start()
        self.certificates.stop()
        self.certificates.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])


class CheckTests(ConfigTestCase):
    """What C{haraka check} says."""

    def problems(self) -> list[str]:
        """As a postmaster reads it."""
        found = tls_problems(read_settings(self.directory), NOW.timestamp())
        return list(map(str, found))

    def test_nothing(self) -> None:
        """Who wants no TLS need have no certificate."""
        self.assertEqual(self.problems(), [])

    def test_wanted(self) -> None:
        """A listener or a plugin that needs one is told of."""
        self.write("smtp.ini", "listen=127.0.0.1:25,127.0.0.1:465\n")
        self.write("plugins", "tls\n")
        listener, plugin = self.problems()
        self.assertIn("127.0.0.1:465 needs TLS, and there is no certificate", listener)
        self.assertIn("config/plugins: plugin tls has no certificate", plugin)

    def test_broken(self) -> None:
        """So are files that cannot be used, and certificates that ended."""
        write_pair(self.directory, own("mail.example", days=-2))
        write_pair(self.directory, own("a.example"), "tls/a.")
        (self.directory / "tls/a.key.pem").unlink()
        key, expired = self.problems()
        self.assertIn("the key for the certificate of a.example is missing", key)
        self.assertIn("expired on", expired)

    def test_port(self) -> None:
        """C{requireAuthorized} reaches the listener (row CF68)."""
        self.write("smtp.ini", "listen=127.0.0.1:587\n")
        self.write("tls.ini", "requireAuthorized[]=587\n")
        (listener,) = read_settings(self.directory).profiles.values()
        self.assertTrue(listener.client_certificate)
        self.assertIn("127.0.0.1:587 needs TLS", self.problems()[0])
