"""Row 40: plugins that misbehave, and what it costs the session: one reply at most."""

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import AlreadyCalledError, CancelledError, Deferred, fail
from twisted.trial.unittest import SynchronousTestCase

from harakatw.verdict import DENY, OK, Kind, Verdict, deny
from tests.fake_plugins import fake_plugin, raising
from tests.sessions import ENVELOPE, Site, make_site

MESSAGE = b"Subject: hi\r\n\r\nHello\r\n.\r\n"
POLICY_HOOKS = (
    "connect_init",
    "lookup_rdns",
    "connect",
    "ehlo",
    "capabilities",
    "mail",
    "rcpt",
    "rcpt_ok",
    "data",
    "data_post",
    "queue_ok",
    "reset_transaction",
    "quit",
    "disconnect",
)


def a_whole_session(site: Site) -> list[int]:
    """The codes of a session that sends one message."""
    site.client.say("EHLO client.example", *ENVELOPE, "DATA")
    site.client.send(MESSAGE)
    site.client.say("QUIT")
    site.client.leave()
    return site.client.codes()


ALL_GOOD = [220, 250, 250, 250, 354, 250, 221]


class FaultTests(SynchronousTestCase):
    """Faults on policy hooks: the other plugins decide."""

    def _check(self, says: object, error: type[BaseException] | None = None) -> None:
        for hook in POLICY_HOOKS:
            after = fake_plugin("After", **{hook: None})
            site = make_site(fake_plugin(**{hook: says}), after)
            self.assertEqual(a_whole_session(site), ALL_GOOD, hook)
            self.assertEqual(after.asked, [hook])
            self.assertEqual(len(site.mailbox.messages), 1, hook)
            if error is not None:
                self.assertEqual(len(self.flushLoggedErrors(error)), 1, hook)

    def test_raises(self) -> None:
        """A plugin that raises is passed over, and its traceback logged."""
        self._check(raising(ZeroDivisionError()), ZeroDivisionError)

    def test_fails_later(self) -> None:
        """The same when its Deferred fails."""
        self._check(lambda *_: fail(ZeroDivisionError()), ZeroDivisionError)

    def test_coroutine_raises(self) -> None:
        """The same when its coroutine raises (Haraka's worker died of it, WK23)."""

        async def broken(*_: Any) -> None:
            raise ZeroDivisionError

        self._check(broken, ZeroDivisionError)

    def test_cancelled_by_itself(self) -> None:
        """
        A plugin whose own look-up was cancelled is a plugin that failed: those after
        it are asked, and it is logged.
        """
        self._check(lambda *_: fail(CancelledError()), CancelledError)

    def test_nonsense(self) -> None:
        """A plugin that returns nonsense is passed over."""
        for nonsense in (True, 906, "OK", object(), [OK], Kind.OK, iter(())):
            self._check(lambda *_, value=nonsense: value)

    def test_nonsense_later(self) -> None:
        """The same for nonsense that it had to be waited for."""

        async def nonsense(*_: Any) -> Any:
            return "OK"

        self._check(nonsense)

    def test_impossible_verdict(self) -> None:
        """
        A verdict with a code that does not go with it cannot be made: the plugin that
        tries has raised, and the client gets no nonsense.
        """
        tries: tuple[Callable[..., Any], ...] = (
            lambda *_: deny("no", code=250),
            lambda *_: deny("no", code=5),
            lambda *_: deny("no", enhanced="5.7"),
            lambda *_: deny("no", enhanced="4.7.1"),
            lambda *_: deny("no", code=550, enhanced="2.0.0"),
            lambda *_: Verdict(Kind.DENY, ("no",), 450),
            lambda *_: Verdict(Kind.OK, ("yes",), 1000),
            lambda *_: Verdict(Kind.DENY, (), 0, "x"),
        )
        for attempt in tries:
            self._check(attempt, ValueError)


class QueueFaultTests(SynchronousTestCase):
    """Faults of queue plugins: "try later", so that nothing is lost."""

    def test_faults(self) -> None:
        """Whatever goes wrong in a queue plugin, the client keeps the message."""

        async def broken(*_: Any) -> None:
            raise ZeroDivisionError

        for says in (
            raising(ZeroDivisionError()),
            lambda *_: fail(ZeroDivisionError()),
            lambda *_: fail(CancelledError()),
            broken,
            True,
            "OK",
        ):
            site = make_site(fake_plugin(queue=says))
            self.assertEqual(site.send_message(MESSAGE)[:3], "450", says)
            self.assertEqual(site.mailbox.messages, [])
            self.flushLoggedErrors()


class SilenceTests(SynchronousTestCase):
    """Plugins that are slow, or answer more than they should."""

    def test_never(self) -> None:
        """A plugin that never answers means "try later", and only for its command."""
        for hook, codes in (
            ("connect", [421, 421, 421, 421, 421]),
            ("ehlo", [220, 450, 503, 503, 503]),
            ("mail", [220, 250, 450, 503, 503]),
            ("rcpt", [220, 250, 250, 450, 554]),
            ("data", [220, 250, 250, 250, 451]),
        ):
            site = make_site(fake_plugin(**{hook: Deferred()}))
            site.client.say("EHLO client.example", *ENVELOPE, "DATA")
            site.server.clock.advance(30)
            self.assertEqual(site.client.codes(), codes, hook)

    def test_late(self) -> None:
        """An answer after the time-out changes nothing."""
        answer: Deferred[Verdict] = Deferred()
        site = make_site(fake_plugin(mail=answer))
        site.greet()
        site.client.say("MAIL FROM:<>")
        site.server.clock.advance(30)
        self.assertEqual(site.client.codes(), [450])
        answer.callback(DENY)
        self.assertEqual(site.client.hear(), "")

    def test_late_failure(self) -> None:
        """Nor does a failure after the time-out; it is not an error of the server's."""
        answer: Deferred[Verdict] = Deferred()
        site = make_site(fake_plugin(mail=answer))
        site.greet()
        site.client.say("MAIL FROM:<>")
        site.server.clock.advance(30)
        answer.errback(ZeroDivisionError())
        self.assertEqual(site.client.codes(), [450])
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_will_not_stop(self) -> None:
        """A plugin that ignores being told to stop answers nobody."""
        told: list[str] = []
        second: Deferred[None] = Deferred()

        async def stubborn(*_: Any) -> Verdict:
            try:
                await Deferred()
            except CancelledError:
                told.append("stop")
            await second
            return DENY

        site = make_site(fake_plugin(mail=stubborn))
        site.greet()
        site.client.say("MAIL FROM:<>", "NOOP")
        site.server.clock.advance(30)
        self.assertEqual((site.client.codes(), told), ([450, 250], ["stop"]))
        second.callback(None)
        self.assertEqual(site.client.hear(), "")
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_twice(self) -> None:
        """Who answers twice fails in its own code; the first answer stands."""
        answer: Deferred[Verdict] = Deferred()
        site = make_site(fake_plugin(mail=answer))
        site.greet()
        site.client.say("MAIL FROM:<>")
        answer.callback(DENY)
        self.assertRaises(AlreadyCalledError, answer.callback, OK)
        self.assertEqual(site.client.codes(), [550])

    def test_after_the_client_left(self) -> None:
        """An answer after the client has left goes nowhere."""
        for answer_with in (DENY, OK, ZeroDivisionError()):
            answer: Deferred[Verdict] = Deferred()
            site = make_site(fake_plugin(mail=answer))
            site.greet()
            site.client.say("MAIL FROM:<>")
            site.client.leave()
            if isinstance(answer_with, Verdict):
                answer.callback(answer_with)
            else:
                answer.errback(answer_with)
            self.assertEqual(site.client.hear(), "")
            self.assertEqual(self.flushLoggedErrors(), [])
            self.assertEqual(site.server.clock.getDelayedCalls(), [])

    def test_told_to_stop(self) -> None:
        """A plugin that waits is told when nobody waits for it any more."""
        for end in ("leave", "time-out"):
            cancelled: list[object] = []
            answer: Deferred[Verdict] = Deferred(cancelled.append)
            site = make_site(fake_plugin(mail=answer))
            site.greet()
            site.client.say("MAIL FROM:<>")
            if end == "leave":
                site.client.leave()
            else:
                site.server.clock.advance(30)
            self.assertEqual(cancelled, [answer], end)

    def test_one_session_only(self) -> None:
        """While a plugin keeps one client waiting, others are served."""
        waiting = fake_plugin(mail=lambda c, *_: c.notes.get("wait"))
        site = make_site(waiting)
        site.greet()
        site.connection.notes.set("wait", Deferred())
        site.client.say("MAIL FROM:<>")
        other = site.server.connect()
        other.say("EHLO x", "MAIL FROM:<>")
        self.assertEqual(site.client.hear(), "")
        self.assertEqual(other.codes(), [220, 250, 250])
