"""Row 12: header fields with magic names (CVE-2026-34752), or far too many."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from harakatw.config.connection import ConnectionOptions
from tests.abuse.inputs import MAGIC_FIELDS
from tests.fake_plugins import fake_plugin
from tests.sessions import make_site


def look_at_everything(connection: Any) -> None:
    """A plugin that reads, adds and removes fields."""
    header = connection.transaction.header
    for name in (*header.names(), "__class__", "__proto__", "items", "", " "):
        header.get(name)
        header.get_decoded(name)
        header.get_all(name)
    header.remove("__class__")
    header.remove("nothing")
    header.lines()


class MagicNameTests(SynchronousTestCase):
    """Headers that kill other servers."""

    def test_names(self) -> None:
        """Each is a field like any other: the message is taken, unchanged."""
        for field in MAGIC_FIELDS:
            site = make_site(fake_plugin(data_post=look_at_everything))
            said = site.send_message(field + b"\r\nbody\r\n.\r\n")
            self.assertEqual(said[:3], "250", field)
            self.assertEqual(self.flushLoggedErrors(), [], field)
            if field != b"__class__: x\r\n":
                received = site.mailbox.messages[0].octets
                self.assertIn(field, received)

    def test_all_in_one(self) -> None:
        """All of them in one header."""
        site = make_site(fake_plugin(data_post=look_at_everything))
        said = site.send_message(b"".join(MAGIC_FIELDS) + b"\r\nbody\r\n.\r\n")
        self.assertEqual(said[:3], "250")
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_many(self) -> None:
        """A hundred thousand fields: refused or taken, not an error of ours."""

        def look(connection: Any) -> None:
            connection.transaction.header.get("subject")
            connection.transaction.remove_header("x")

        options = ConnectionOptions(add_received=False)
        site = make_site(fake_plugin(data_post=look), options=options)
        said = site.send_message(b"x: y\r\n" * 100_000 + b"\r\nbody\r\n.\r\n")
        self.assertIn(said[:3], ("250", "552"))
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_long(self) -> None:
        """A header of ten megaoctets, in one field or without an end, is refused."""
        for octets in (b"X: " + b"a" * 10_000_000 + b"\r\n", b"X: a\r\n b\r\n" * 10**6):
            site = make_site()
            said = site.send_message(octets + b"\r\nbody\r\n.\r\n")
            self.assertEqual(said[:9], "552 5.3.4")

    def test_no_header(self) -> None:
        """A message that is all body, or nothing but blank lines, is a message."""
        for octets in (b"\r\nbody\r\n", b"\r\n\r\n\r\n", b"just text\r\n"):
            site = make_site(fake_plugin(data_post=look_at_everything))
            self.assertEqual(site.send_message(octets + b".\r\n")[:3], "250")
            self.assertEqual(self.flushLoggedErrors(), [])
