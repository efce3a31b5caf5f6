"""What is announced to whom, and that nothing else is taken (RFC 5321 4.1.1.11)."""

from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from harakatw.config.connection import ConnectionOptions
from harakatw.config.extensions import ExtensionOptions
from harakatw.config.listeners import Listener
from harakatw.errors import StoreError
from harakatw.smtp.connection import TLS
from harakatw.smtp.offers import Offers
from tests.fake_plugins import FakePlugin, fake_plugin
from tests.sessions import make_site
from tests.waiting_queue import WaitingQueue


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


def trust(connection: Any) -> None:
    """This client may send anywhere."""
    connection.relaying = True


def encrypt(connection: Any) -> None:
    """This client came over TLS."""
    connection.tls = TLS(True, "TLS_AES_256_GCM_SHA384")


class AudienceTests(SynchronousTestCase):
    """Who is told what."""

    QUEUE = ("FUTURERELEASE", "DELIVERBY", "MT-PRIORITY", "ETRN")

    def _said(self, *connect: Any, **more: Any) -> str:
        plugins = [fake_plugin(str(each), connect=each) for each in connect]
        site = make_site(*plugins, **more)
        return site.client.ask("EHLO client.example")

    def test_strangers(self) -> None:
        """What the outbound queue can do is nothing to those who may not relay."""
        said = self._said(outbound=WaitingQueue())
        for keyword in (*self.QUEUE, "REQUIRETLS"):
            self.assertNotIn(keyword, said)

    def test_users(self) -> None:
        """Those who may relay, and whoever comes to where users log in, are told."""
        submission = Listener(submission=True)
        for said in (
            self._said(trust, outbound=WaitingQueue()),
            self._said(outbound=WaitingQueue(), listener=submission),
        ):
            for keyword in self.QUEUE:
                self.assertIn(f"250-{keyword}", said)

    def test_no_queue(self) -> None:
        """A server without an outbound queue does not promise what that would do."""
        said = self._said(trust)
        for keyword in self.QUEUE:
            self.assertNotIn(keyword, said)

    def test_encrypted(self) -> None:
        """REQUIRETLS is for encrypted sessions only (RFC 8689 section 2)."""
        self.assertIn("250-REQUIRETLS\r\n", self._said(encrypt))
        off = ExtensionOptions(requiretls=False)
        self.assertNotIn("REQUIRETLS", self._said(encrypt, extensions=off))

    def test_limits(self) -> None:
        """LIMITS says what we keep to (RFC 9422)."""
        limits = ConnectionOptions(max_recipients=100, max_messages=7)
        said = self._said(options=limits)
        self.assertIn("250-LIMITS MAILMAX=7 RCPTMAX=100\r\n", said)
        off = ExtensionOptions(limits=False)
        self.assertNotIn("LIMITS", self._said(extensions=off))

    def test_longest_hold(self) -> None:
        """How long mail is held is said in seconds and as a date, which is renewed."""
        options = ExtensionOptions(future_release_max=3600.0)
        site = make_site(
            fake_plugin(connect=trust), outbound=WaitingQueue(), extensions=options
        )
        said = site.client.ask("EHLO client.example")
        self.assertIn("250-FUTURERELEASE 3600 1970-01-01T01:00:00Z\r\n", said)
        site.server.clock.rightNow = 86400.0
        said = site.server.connect().ask("EHLO client.example")
        self.assertIn("250-FUTURERELEASE 3600 1970-01-02T01:00:00Z\r\n", said)
        site.client.say("MAIL FROM:<a@b.example> HOLDFOR=3601")
        self.assertEqual(site.client.codes(), [501])

    def test_all_off(self) -> None:
        """Each can be switched off."""
        options = ExtensionOptions(
            futurerelease=False, deliverby=False, mt_priority=False, etrn=False
        )
        said = self._said(trust, outbound=WaitingQueue(), extensions=options)
        for keyword in self.QUEUE:
            self.assertNotIn(keyword, said)


class ETRNTests(SynchronousTestCase):
    """Mail that waits for a domain is tried at once (RFC 1985)."""

    def setUp(self) -> None:
        """A client that may ask for it."""
        self.queue = WaitingQueue()
        self.site = make_site(fake_plugin(connect=trust), outbound=self.queue)
        self.site.greet()

    def test_waiting(self) -> None:
        """How many messages are tried now is said; of a domain, or of all below."""
        self.queue.found = 3
        said = self.site.client.ask("ETRN Far.Example", "ETRN @far.example")
        line = "253 2.0.0 3 pending messages for node far.example started\r\n"
        self.assertEqual(said, line * 2)
        asked = [("far.example", False), ("far.example", True)]
        self.assertEqual(self.queue.asked, asked)

    def test_nothing(self) -> None:
        """Nothing waits: 251."""
        self.site.client.say("ETRN far.example")
        self.assertEqual(self.site.client.codes(), [251])

    def test_pending(self) -> None:
        """While the queue is looked through, later commands wait."""
        found: Deferred[int] = Deferred()
        self.queue.found = found
        self.site.client.say("ETRN far.example", "NOOP")
        self.assertEqual(self.site.client.hear(), "")
        found.callback(1)
        self.assertEqual(self.site.client.codes(), [253, 250])

    def test_broken_queue(self) -> None:
        """A queue that cannot be read: 458, and the log says why."""
        self.queue.found = StoreError("no disk")
        self.site.client.say("ETRN far.example", "NOOP")
        self.assertEqual(self.site.client.codes(), [458, 250])

    def test_injection(self) -> None:
        """Survey row 27: what is no domain reaches no database."""
        for argument, code in (
            ("#x',1);--", 459),
            ("#queue", 459),
            ("x',1);--", 501),
            ("*", 501),
            ("@", 501),
            ("@*.example", 501),
            ("far.example extra", 501),
            ("%", 501),
            ("b\u00fccher.example", 501),
            ("", 501),
        ):
            self.site.client.say(f"ETRN {argument}")
            self.assertEqual(self.site.client.codes(), [code], argument)
        self.assertEqual(self.queue.asked, [])

    def test_strangers(self) -> None:
        """Who may not relay is not told of other people's mail: 502."""
        for outbound in (self.queue, None):
            site = make_site(outbound=outbound)
            site.greet()
            site.client.say("ETRN far.example")
            self.assertEqual(site.client.codes(), [502])
        self.assertEqual(self.queue.asked, [])

    def test_not_logged_in(self) -> None:
        """Where users log in, ETRN is announced to all, and done for those who did."""
        listener = Listener(submission=True)
        site = make_site(outbound=self.queue, listener=listener)
        site.client.hear()
        self.assertIn("250-ETRN", site.client.ask("EHLO client.example"))
        site.client.say("ETRN far.example")
        self.assertEqual(site.client.codes(), [459])
        self.assertEqual(self.queue.asked, [])

    def test_before_ehlo(self) -> None:
        """Before EHLO nothing is on offer: 503."""
        site = make_site(fake_plugin(connect=trust), outbound=self.queue)
        site.client.hear()
        site.client.say("ETRN far.example")
        self.assertEqual(site.client.codes(), [503])


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
