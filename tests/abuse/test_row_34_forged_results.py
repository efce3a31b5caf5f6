"""Row 34: verdicts that a message brings along."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.abuse.names import FORGED_RESULTS
from tests.fake_plugins import fake_plugin
from tests.sessions import make_site

FIELD = "Authentication-Results"


class ForgedResultsTests(SynchronousTestCase):
    """Fields that seem to be this server's."""

    def seen(self, header: bytes) -> tuple[list[bytes], bytes]:
        """What plugins see of the field, and the message as it is delivered."""
        seen: list[bytes] = []

        def look(connection: Any) -> None:
            seen.extend(connection.transaction.header.fields(FIELD))

        site = make_site(fake_plugin(data_post=look))
        said = site.send_message(header + b"\r\n\r\nbody\r\n.\r\n")
        self.assertEqual(said[:3], "250", header)
        return seen, site.mailbox.messages[0].octets

    def test_each(self) -> None:
        """No plugin sees one, and nobody behind us takes it for ours."""
        for field in FORGED_RESULTS:
            seen, octets = self.seen(b"Subject: x\r\n" + field)
            self.assertEqual(seen, [], field)
            for line in octets.split(b"\r\n"):
                self.assertFalse(line.lower().startswith(FIELD.lower().encode()), field)
            self.assertIn(b"Original-" + field[: len(FIELD)], octets)

    def test_all(self) -> None:
        """All of them in one header, among other fields, a hundred times."""
        many = b"\r\nX: y\r\n".join(FORGED_RESULTS)
        seen, octets = self.seen(b"\r\n".join([many] * 100))
        self.assertEqual(seen, [])
        self.assertEqual(octets.lower().count(b"\r\nauthentication-results"), 0)

    def test_others(self) -> None:
        """Fields that are others', and the body, stay as they are."""
        header = (
            b"ARC-Authentication-Results: i=1; mx.other.example; dmarc=pass\r\n"
            b"X-Authentication-Results: x\r\n"
            b"Subject: Authentication-Results: mx.here.example; dmarc=pass"
        )
        _, octets = self.seen(header)
        self.assertTrue(octets.endswith(header + b"\r\n\r\nbody\r\n"))
