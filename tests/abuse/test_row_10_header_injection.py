"""Row 10: header fields of plugins with a line end in the value (CVE-2024-6923)."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.abuse.inputs import BAD_HEADER_VALUES, ODD_HEADER_VALUES
from tests.fake_plugins import fake_plugin
from tests.sessions import Site, make_site


class HeaderInjectionTests(SynchronousTestCase):
    """A plugin writes into the header what a stranger gave it."""

    def _site(self, value: str, method: str = "add_header") -> Site:
        def add(connection: Any) -> None:
            getattr(connection.transaction, method)("X-Info", value)

        site = make_site(fake_plugin(data_post=add))
        self.said = site.send_message(b"Subject: hi\r\n\r\nHello\r\n.\r\n")
        return site

    def test_line_ends(self) -> None:
        """
        A value with a line end never makes a second field: the plugin's call fails,
        which is logged under its name, or the value is folded.
        """
        for value in BAD_HEADER_VALUES:
            for method in ("add_header", "add_leading_header"):
                site = self._site(value, method)
                self.flushLoggedErrors(ValueError)
                self.assertEqual(self.said[:3], "250")
                head = site.mailbox.messages[0].octets.partition(b"\r\n\r\n")[0]
                for line in head.split(b"\r\n"):
                    self.assertFalse(line.lower().startswith(b"bcc"), value)
                    self.assertNotIn(b"\0", line)

    def test_odd_line_ends(self) -> None:
        """What only Python takes for a line end stays inside its field."""
        for value in ODD_HEADER_VALUES:
            site = self._site(value)
            self.flushLoggedErrors(ValueError)
            octets = site.mailbox.messages[0].octets
            head = octets.partition(b"\r\n\r\n")[0].decode("latin-1")
            for line in head.splitlines():
                self.assertFalse(line.lower().startswith("bcc"), ascii(value))

    def test_received_header(self) -> None:
        """Odd line ends in a field that came from outside do not part it either."""
        site = make_site()
        field = b"X-Odd: a\x0bBcc: v\x0cBcc: v\x1cBcc: v\xc2\x85Bcc: v\r\n"
        site.begin_data()
        site.client.send(field + b"\r\n")
        header = site.connection.transaction.header
        site.client.send(b"x\r\n.\r\n")
        self.assertEqual(header.get("Bcc"), "")
        self.assertEqual(site.mailbox.messages[0].received, field + b"\r\nx\r\n")
