"""Row 35: messages that are from somebody and from somebody else."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from harakatw.plugins._headers_options import HeadersOptions
from harakatw.plugins.headers import Headers
from tests.abuse.names import AUTHORS
from tests.fake_plugins import fake_plugin
from tests.sessions import Site, make_site


class AuthorTests(SynchronousTestCase):
    """The plugin C{headers} in front of a mailbox."""

    def send(self, *lines: bytes, **options: Any) -> str:
        """Send a message of C{a@good.example}'s; the answer, but for its text."""
        self.found: dict[str, Any] = {}

        def look(connection: Any) -> None:
            self.found = connection.transaction.results.get("headers")

        tested = Headers(
            options=HeadersOptions(**options), name="headers", now=lambda: 0.0
        )
        self.site: Site = make_site(tested, fake_plugin("Look", data_post=look))
        self.site.greet()
        self.site.client.ask(
            "MAIL FROM:<a@good.example>", "RCPT TO:<b@here.example>", "DATA"
        )
        return self.site.client.ask(*lines, b"", b"body", b".")[:9]

    def test_worst_case(self) -> None:
        """None of them counts as written by its sender."""
        for lines in AUTHORS:
            if lines == (b'From: "a@good.example" <b@evil.example>',):
                continue  # below
            self.assertEqual(self.send(*lines)[:3], "250", lines)
            self.assertNotIn("from_match", self.found["pass"], lines)
            found = [each for each in self.found["fail"] if "from_match" in each]
            self.assertEqual(len(found), 1, lines)

    def test_display_name(self) -> None:
        """A display name in quotes is a name: who is in brackets is the author."""
        self.send(b'From: "a@good.example" <b@evil.example>')
        self.assertIn("from_match(good.example / evil.example)", self.found["fail"])
        self.send(b'From: "b@evil.example" <a@good.example>')
        self.assertIn("from_match", self.found["pass"])

    def test_refused(self) -> None:
        """Two of them, or none, are refused with 5.7.1 where that is wanted."""
        options = {
            "required": ("From",),
            "reject_duplicate_singular": True,
            "reject_missing_required": True,
        }
        for lines in AUTHORS:
            count = sum(line.lower().startswith(b"from:") for line in lines)
            answer = self.send(*lines, **options)
            self.assertEqual(answer == "550 5.7.1", count != 1, lines)
