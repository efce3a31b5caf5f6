"""What is announced to whom, and that nothing else is taken (RFC 5321 4.1.1.11)."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from harakatw.config.connection import ConnectionOptions
from harakatw.config.extensions import ExtensionOptions
from harakatw.config.listeners import Listener
from harakatw.smtp.offers import Offers
from tests.fake_plugins import FakePlugin, fake_plugin
from tests.sessions import make_site


def edits(change: Any) -> FakePlugin:
    """A plugin that changes the list."""
    return fake_plugin(capabilities=lambda connection: change(connection.capabilities))


class AnnouncedTests(SynchronousTestCase):
    """A keyword and its parameters come and go together."""

    def _codes(self, *commands: str, plugin: FakePlugin | None = None) -> list[int]:
        site = make_site(*([plugin] if plugin else []))
        site.greet()
        site.client.say(*commands)
        return site.client.codes()

    def test_removed(self) -> None:
        """What a plugin takes from the list is not taken from the client either."""
        plugin = edits(lambda lines: lines.remove("DSN"))
        mail = "MAIL FROM:<a@b.example> RET=FULL"
        rcpt = "RCPT TO:<b@here.example> NOTIFY=NEVER"
        plain = "MAIL FROM:<a@b.example>"
        self.assertEqual(self._codes(mail, plain, rcpt), [250, 503, 250])
        self.assertEqual(self._codes(mail, plain, rcpt, plugin=plugin), [555, 250, 555])

    def test_added(self) -> None:
        """What a plugin announces is taken, if anybody knows it."""
        plugin = edits(lambda lines: lines.append("AUTH PLAIN"))
        mail = "MAIL FROM:<a@b.example> AUTH=<>"
        self.assertEqual(self._codes(mail), [555])
        self.assertEqual(self._codes(mail, plugin=plugin), [250])

    def test_utf8_removed(self) -> None:
        """Without SMTPUTF8 on the list an address is ASCII."""
        plugin = edits(lambda lines: lines.remove("SMTPUTF8"))
        mail = "MAIL FROM:<bücher@b.example> SMTPUTF8"
        self.assertEqual(self._codes(mail), [250])
        (code,) = self._codes(mail, plugin=plugin)
        self.assertIn(code, (501, 550, 553))

    def test_every_hello_counts(self) -> None:
        """The last EHLO is what holds; after HELO nothing does."""
        mail = "MAIL FROM:<a@b.example> RET=FULL"
        codes = self._codes("HELO x", mail, "EHLO x", mail)
        self.assertEqual(codes, [250, 555, 250, 250])

    def test_switched_off(self) -> None:
        """What the postmaster switches off is neither announced nor taken."""
        site = make_site(extensions=ExtensionOptions(dsn=False))
        self.assertNotIn("DSN", site.client.ask("EHLO client.example"))
        site.client.say("MAIL FROM:<a@b.example> RET=FULL")
        self.assertEqual(site.client.codes(), [555])

    def test_listener(self) -> None:
        """A listener may do without an extension, whatever the others offer."""
        listener = Listener(no_extensions=frozenset(("CHUNKING", "SIZE")))
        site = make_site(listener=listener)
        said = site.client.ask("EHLO client.example")
        for keyword in ("CHUNKING", "BINARYMIME", "SIZE"):
            self.assertNotIn(keyword, said)
        site.client.say("MAIL FROM:<a@b.example> SIZE=1")
        self.assertEqual(site.client.codes(), [555])


class OffersTests(SynchronousTestCase):
    """What is made once is kept."""

    def _offers(self, *hidden: str) -> Offers:
        limits, extensions = ConnectionOptions(), ExtensionOptions()
        return Offers(limits, extensions, frozenset(hidden))

    def test_kept(self) -> None:
        """Sessions in the same state share one offer."""
        offers = self._offers()
        offer = offers.offer(encrypted=False)
        self.assertIs(offers.offer(encrypted=False), offer)
        self.assertIs(offers.edited(offer, list(offer.lines)), offer)
        edited = offers.edited(offer, ["STARTTLS"])
        self.assertIs(offers.edited(offer, ["STARTTLS"]), edited)

    def test_bounded(self) -> None:
        """A plugin that says something else each time does not fill the memory."""
        offers = self._offers()
        offer = offers.offer(encrypted=False)
        for number in range(1000):
            offers.edited(offer, [f"X{number}"])
        self.assertLessEqual(len(offers._edited), 64)

    def test_hidden(self) -> None:
        """What a listener hides is hidden, also if a plugin adds it again."""
        offers = self._offers("DSN", "STARTTLS")
        offer = offers.offer(encrypted=False)
        self.assertNotIn("DSN", offer.keywords)
        edited = offers.edited(offer, ["dsn", "STARTTLS", "AUTH PLAIN"])
        self.assertEqual(edited.lines, ("AUTH PLAIN",))
