"""A plugin that holds the server up is named (survey row 40)."""

from twisted.internet.task import Clock
from twisted.logger import formatEvent
from twisted.trial.unittest import SynchronousTestCase

from harakatw.hook_rules import HOOK_RULES
from harakatw.hooks.chain import Chain, Origin, make_chain
from harakatw.verdict import OK, Verdict
from tests.hooks.chains import Recorder, Talk
from tests.log_events import collect_log


class BlockedTests(SynchronousTestCase):
    """Everybody waits for a plugin whose method does not return."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.log = collect_log(self)

    def lines(self) -> list[str]:
        """What was logged."""
        return [formatEvent(event) for event in self.log]

    def chain(self, seconds: float) -> Chain:
        """One plugin that computes for so long."""

        def rule(subject: Talk) -> Verdict:
            self.clock.advance(seconds)
            return OK

        origin = Origin("slow_one", "hook_rcpt", 0, 30)
        return make_chain(HOOK_RULES["rcpt"], [(origin, rule)], self.clock)

    def test_named(self) -> None:
        """The log says which plugin, on which hook, and for how long."""
        self.assertIs(self.chain(0.25).run(Talk()), OK)
        line = "UUID plugin slow_one blocked the server for 0.25 s in hook_rcpt"
        self.assertIn(line, self.lines())

    def test_watched(self) -> None:
        """Also while the session is watched."""
        self.chain(0.25).run(Talk(watch=Recorder()))
        self.assertIn("slow_one", "".join(self.lines()))

    def test_quick(self) -> None:
        """Nobody is named for a moment."""
        self.chain(0.05).run(Talk())
        self.assertEqual(self.lines(), [])
