"""Who wants to see each call of a plugin, for the traces of verdicts."""

from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from harakatw.verdict import CONT, DENY, DENYSOFT, OK, STOP, Kind, Verdict
from tests.fake_plugins import raising
from tests.hooks.chains import Bench, Recorder


class WatchTests(SynchronousTestCase):
    """A watcher sees hook, plugin, verdict and time, and changes nothing."""

    def setUp(self) -> None:
        """Watch a chain."""
        self.watch = Recorder()
        self.bench = Bench()
        self.bench.talk.watch = self.watch

    def test_sees_each(self) -> None:
        """Each plugin that was asked is seen, with its word."""
        self.assertIs(self.bench.run(None, OK, DENY), OK)
        self.assertEqual(
            self.watch.seen, [("rcpt", "p0", CONT, 0.0), ("rcpt", "p1", OK, 0.0)]
        )

    def test_seconds(self) -> None:
        """The time that a plugin took is seen, whether it was waited for or not."""
        answer = Deferred[Any]()
        busy = self.bench.clock.advance
        self.bench.run(lambda *_: busy(2), answer, OK)
        self.bench.clock.advance(3)
        answer.callback(CONT)
        seen = [
            (plugin, verdict, spent) for _, plugin, verdict, spent in self.watch.seen
        ]
        self.assertEqual(seen, [("p0", CONT, 2.0), ("p1", CONT, 3.0), ("p2", OK, 0.0)])

    def test_faults(self) -> None:
        """A plugin that raised or ran out of time is seen with what that counts as."""
        self.bench.run(raising(ZeroDivisionError()), Deferred[Any]())
        self.bench.clock.advance(30)
        self.flushLoggedErrors()
        words = [(plugin, verdict) for _, plugin, verdict, _ in self.watch.seen]
        self.assertEqual(words, [("p0", CONT), ("p1", DENYSOFT)])

    def test_same_result(self) -> None:
        """What the chain says is the same, watched or not."""
        for hook in ("rcpt", "connect_init", "queue"):
            for answers in (
                (None, OK, DENY),
                (DENY, OK),
                (STOP,),
                (Verdict(Kind.CONT), DENY),
                (raising(ZeroDivisionError()), OK),
                ("nonsense", OK),
            ):
                watched, plain = Bench(hook), Bench(hook)
                watched.talk.watch = Recorder()
                self.assertEqual(watched.run(*answers), plain.run(*answers))
                self.assertEqual(watched.asked, plain.asked)
        self.flushLoggedErrors()

    def test_denial(self) -> None:
        """A denial that is overruled was one all the same, and who did it is seen."""
        judge = Bench("deny").chain(OK)
        self.assertIs(self.bench.run(DENY, OK, deny=judge), OK)
        words = [(hook, verdict) for hook, _, verdict, _ in self.watch.seen]
        self.assertEqual(words, [("rcpt", DENY), ("deny", OK), ("rcpt", OK)])

    def test_skips(self) -> None:
        """A plugin that is to be skipped is not called."""
        self.watch.skipped = frozenset(("p0", "p2"))
        self.assertIs(self.bench.run(DENY, None, DENY, OK), OK)
        self.assertEqual(self.bench.asked, ["p1", "p3"])

    def test_begins_late(self) -> None:
        """A watch that a plugin sets sees the plugins after it, in the same hook."""
        bench = Bench()

        def begin(talk: Any) -> None:
            talk.watch = self.watch

        self.assertIs(bench.run(None, begin, None, OK), OK)
        self.assertEqual([plugin for _, plugin, _, _ in self.watch.seen], ["p2", "p3"])

    def test_ends_early(self) -> None:
        """A watch that a plugin takes away sees no more."""

        def end(talk: Any) -> None:
            talk.watch = None

        self.assertIs(self.bench.run(None, end, None, OK), OK)
        seen = [plugin for _, plugin, _, _ in self.watch.seen]
        self.assertEqual(seen, ["p0", "p1"])
        self.assertEqual(self.bench.asked, ["p0", "p1", "p2", "p3"])
