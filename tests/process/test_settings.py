"""Tests of C{harakatw.process.settings}."""

from types import SimpleNamespace

from harakatw.process import settings
from harakatw.process.settings import Settings, own_name, read_settings
from tests.config.folders import ConfigTestCase


class SettingsTests(ConfigTestCase):
    """All that the core reads."""

    def _read(self, before: Settings | None = None) -> Settings:
        return read_settings(self.directory, before)

    def test_empty(self) -> None:
        """A server can run on an empty config/, and nobody complains."""
        self.assertEqual(self._read().problems, ())

    def test_read(self) -> None:
        """Each file is read."""
        self.write("smtp.ini", "inactivity_timeout=77\n")
        self.write("log.ini", "[main]\nlevel=warn\n")
        self.write("net-utils.ini", "[dns]\ntimeout=1234\n")
        read = self._read()
        self.assertEqual(
            (read.server.inactivity_timeout, read.log.level, read.dns.timeout),
            (77, "warn", 1234),
        )

    def test_bad_at_start(self) -> None:
        """At the start a file that is wrong means the default, and is named."""
        self.write("smtp.ini", "inactivity_timeout=soon\n")
        read = self._read()
        self.assertEqual(read.server.inactivity_timeout, 300)
        (problem,) = read.problems
        self.assertIn("config/smtp.ini", str(problem))

    def test_bad_later(self) -> None:
        """In a running server what that file said before stays in force."""
        self.write("smtp.ini", "inactivity_timeout=77\n")
        before = self._read()
        self.write("smtp.ini", "inactivity_timeout=soon\n")
        after = self._read(before)
        self.assertEqual(after.server.inactivity_timeout, 77)
        self.assertEqual(len(after.problems), 1)

    def test_others_go_on(self) -> None:
        """A mistake in one file does not hold back a change of another."""
        before = self._read()
        self.write("smtp.ini", "inactivity_timeout=soon\n")
        self.write("log.ini", "[main]\nlevel=warn\n")
        self.assertEqual(self._read(before).log.level, "warn")

    def test_own_name(self) -> None:
        """The server has the name of config/me."""
        self.write("me", "mail.example\n")
        self.assertEqual(own_name(self._read()), "mail.example")

    def test_machines_name(self) -> None:
        """Without config/me it has the machine's name, or at the worst localhost."""
        for machine, name in (("mx1", "mx1"), ("", "localhost")):
            system = SimpleNamespace(gethostname=lambda machine=machine: machine)
            self.patch(settings, "socket", system)
            self.assertEqual(own_name(self._read()), name)
