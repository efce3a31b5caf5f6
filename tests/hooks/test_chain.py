"""Running one hook: who is asked, and whose word counts."""

from typing import Any

from twisted.internet.defer import CancelledError, Deferred, fail, succeed
from twisted.trial.unittest import SynchronousTestCase

from harakatw.verdict import (
    CONT,
    DENY,
    DENYSOFT,
    OK,
    STOP,
    Kind,
    Verdict,
    deny,
)
from tests.fake_plugins import raising
from tests.hooks.chains import Bench


class ImmediateTests(SynchronousTestCase):
    """Plugins that answer at once."""

    def test_no_plugins(self) -> None:
        """A hook that nobody stands on says CONT."""
        self.assertIs(Bench().run(), CONT)

    def test_no_deferred(self) -> None:
        """While plugins answer at once, so does the chain: with the verdict itself."""
        self.assertIs(Bench().run(None, CONT, OK), OK)
        self.assertIs(Bench().run(None, CONT), CONT)

    def test_first_word(self) -> None:
        """The first verdict but CONT ends the chain, whichever it is."""
        for verdict in (OK, DENY, DENYSOFT, STOP, deny("no")):
            bench = Bench()
            self.assertIs(bench.run(None, verdict, OK), verdict)
            self.assertEqual(bench.asked, ["p0", "p1"])

    def test_cont_is_cont(self) -> None:
        """A CONT that a plugin made itself counts as CONT: the others are asked."""
        bench = Bench()
        self.assertIs(bench.run(Verdict(Kind.CONT), DENY), DENY)

    def test_arguments(self) -> None:
        """Each plugin gets the connection and the hook's arguments."""
        seen: list[tuple[Any, ...]] = []
        bench = Bench()
        bench.chain(lambda *args: seen.append(args)).run(bench.talk, "a", "b")
        self.assertEqual(seen, [(bench.talk, "a", "b")])

    def test_all_run(self) -> None:
        """On connect_init and disconnect all plugins run, whatever they say."""
        for hook in ("connect_init", "disconnect"):
            bench = Bench(hook)
            self.assertIs(bench.run(DENY, OK, STOP, None), CONT)
            self.assertEqual(len(bench.asked), 4)

    def test_priorities(self) -> None:
        """Low priorities run first, equal ones in the order of config/plugins."""
        bench = Bench()
        bench.chain(None, None, None, None, priorities=(10, 0, -5, 0)).run(bench.talk)
        self.assertEqual(bench.asked, ["p2", "p1", "p3", "p0"])


class WaitingTests(SynchronousTestCase):
    """Plugins that take their time."""

    def test_waits(self) -> None:
        """The plugins after one that waits are asked when it has answered."""
        bench, answer = Bench(), Deferred[Any]()
        outcome = bench.run(None, answer, OK)
        assert isinstance(outcome, Deferred)
        self.assertEqual(bench.asked, ["p0", "p1"])
        self.assertNoResult(outcome)
        answer.callback(None)
        self.assertIs(self.successResultOf(outcome), OK)
        self.assertEqual(bench.asked, ["p0", "p1", "p2"])
        self.assertEqual(bench.clock.getDelayedCalls(), [])

    def test_decides(self) -> None:
        """Its verdict ends the chain like any other."""
        bench, answer = Bench(), Deferred[Any]()
        outcome = bench.run(answer, OK)
        answer.callback(DENY)
        assert isinstance(outcome, Deferred)
        self.assertIs(self.successResultOf(outcome), DENY)
        self.assertEqual(bench.asked, ["p0"])

    def test_several(self) -> None:
        """Several may wait, one after the other."""
        bench = Bench()
        answers = [Deferred[Any]() for _ in range(3)]
        outcome = bench.run(*answers, OK)
        for number, answer in enumerate(answers):
            self.assertEqual(len(bench.asked), number + 1)
            answer.callback(CONT)
        assert isinstance(outcome, Deferred)
        self.assertIs(self.successResultOf(outcome), OK)

    def test_coroutine(self) -> None:
        """A coroutine is waited for as a Deferred is."""
        answer = Deferred[Any]()

        async def slow(*_: Any) -> Verdict:
            verdict: Verdict = await answer
            return verdict

        outcome = Bench().run(slow)
        answer.callback(OK)
        assert isinstance(outcome, Deferred)
        self.assertIs(self.successResultOf(outcome), OK)

    def test_fired_already(self) -> None:
        """A Deferred that has fired costs no turn of the clock."""
        outcome = Bench().run(succeed(None), succeed(OK))
        assert isinstance(outcome, Deferred)
        self.assertIs(self.successResultOf(outcome), OK)

    def test_time_out(self) -> None:
        """
        A plugin that does not answer in time means DENYSOFT (RG07), and is told to
        stop; the log names it.
        """
        cancelled: list[object] = []
        bench = Bench(timeout_seconds=5)
        outcome = bench.run(Deferred[Any](cancelled.append), OK)
        assert isinstance(outcome, Deferred)
        bench.clock.advance(4.9)
        self.assertNoResult(outcome)
        bench.clock.advance(0.2)
        self.assertIs(self.successResultOf(outcome), DENYSOFT)
        self.assertEqual((len(cancelled), bench.asked), (1, ["p0"]))

    def test_time_out_of_bounces(self) -> None:
        """On C{bounce} it means CONT: or else nobody would be told."""
        bench = Bench("bounce", timeout_seconds=5)
        outcome = bench.run(Deferred[Any](), None)
        assert isinstance(outcome, Deferred)
        bench.clock.advance(5)
        self.assertIs(self.successResultOf(outcome), CONT)
        self.assertEqual(bench.asked, ["p0", "p1"])

    def test_time_for_each(self) -> None:
        """Each plugin has its own time."""
        bench = Bench(timeout_seconds=5)
        answers = [Deferred[Any]() for _ in range(3)]
        outcome = bench.run(*answers)
        for answer in answers:
            bench.clock.advance(4)
            answer.callback(None)
        assert isinstance(outcome, Deferred)
        self.assertIs(self.successResultOf(outcome), CONT)

    def test_no_time_out(self) -> None:
        """With 0 a plugin may take for ever."""
        bench = Bench(timeout_seconds=0)
        outcome = bench.run(Deferred[Any]())
        assert isinstance(outcome, Deferred)
        bench.clock.advance(10**9)
        self.assertNoResult(outcome)
        outcome.cancel()

    def test_given_up(self) -> None:
        """
        A chain that nobody waits for any more ends with CONT; the plugin is told to
        stop, those after it are not asked, and nothing is logged.
        """
        cancelled: list[object] = []
        bench = Bench()
        outcome = bench.run(Deferred[Any](cancelled.append), OK)
        assert isinstance(outcome, Deferred)
        outcome.cancel()
        self.assertIs(self.successResultOf(outcome), CONT)
        self.assertEqual((len(cancelled), bench.asked), (1, ["p0"]))
        self.assertEqual(bench.clock.getDelayedCalls(), [])

    def test_many_that_wait(self) -> None:
        """Fifty plugins that all have to be waited for are no problem."""
        outcome = Bench().run(*[lambda *_: succeed(None)] * 50, OK)
        assert isinstance(outcome, Deferred)
        self.assertIs(self.successResultOf(outcome), OK)


class FaultTests(SynchronousTestCase):
    """Plugins that break."""

    def _faulty(self) -> tuple[Any, ...]:
        async def broken(*_: Any) -> Any:
            raise ZeroDivisionError

        return (
            raising(ZeroDivisionError()),
            lambda *_: fail(ZeroDivisionError()),
            lambda *_: fail(CancelledError()),
            broken,
            True,
            "OK",
            lambda *_: succeed("OK"),
            (OK,),
        )

    def _result(self, outcome: Any) -> Verdict:
        verdict = (
            self.successResultOf(outcome) if isinstance(outcome, Deferred) else outcome
        )
        assert isinstance(verdict, Verdict)
        return verdict

    def test_policy(self) -> None:
        """On a policy hook a fault counts as CONT: the next plugin decides (RG09)."""
        for fault in self._faulty():
            self.assertIs(self._result(Bench("mail").run(fault, DENY)), DENY)
            self.flushLoggedErrors()

    def test_queue(self) -> None:
        """On a queue hook it counts as DENYSOFT, and nobody else is asked."""
        for hook in ("queue", "queue_outbound"):
            for fault in self._faulty():
                bench = Bench(hook)
                self.assertIs(self._result(bench.run(fault, OK)), DENYSOFT)
                self.assertEqual(bench.asked, ["p0"])
                self.flushLoggedErrors()

    def test_logged(self) -> None:
        """What was raised is logged once, with its traceback."""
        Bench().run(raising(ZeroDivisionError()), lambda *_: fail(KeyError()))
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual(len(self.flushLoggedErrors(KeyError)), 1)

    def test_not_swallowed(self) -> None:
        """An order to stop the process is not a plugin's fault."""
        with self.assertRaises(KeyboardInterrupt):
            Bench().run(raising(KeyboardInterrupt()))


class DenyTests(SynchronousTestCase):
    """The deny hook: who wants to know of denials, and overrule them (HK27)."""

    def _judged(self, word: Any, *answers: Any) -> tuple[Any, Bench, list[Any]]:
        told: list[Any] = []

        def deny_hook(talk: object, denial: Any) -> Any:
            told.append(denial)
            return word

        judge = Bench("deny").chain(deny_hook)
        bench = Bench("mail")
        return bench.run(*answers, deny=judge), bench, told

    def test_told(self) -> None:
        """It is told who denied what, and with which words."""
        verdict = deny("spam")
        outcome, _, told = self._judged(None, None, verdict)
        self.assertIs(outcome, verdict)
        (denial,) = told
        self.assertIs(denial.verdict, verdict)
        self.assertEqual((denial.plugin, denial.method), ("p1", "hook_mail"))
        self.assertEqual((denial.hook, denial.args), ("mail", ()))

    def test_overrides(self) -> None:
        """Its OK overrides the denial: the plugins after it are asked."""
        outcome, bench, _ = self._judged(OK, DENY, None, OK)
        self.assertIs(outcome, OK)
        self.assertEqual(bench.asked, ["p0", "p1", "p2"])

    def test_overrides_each(self) -> None:
        """It is asked about each denial."""
        outcome, _, told = self._judged(OK, DENY, DENYSOFT, None)
        self.assertIs(outcome, CONT)
        self.assertEqual([each.verdict for each in told], [DENY, DENYSOFT])

    def test_stands(self) -> None:
        """Whatever else it says lets the denial stand."""
        for word in (None, CONT, DENY, STOP, "nonsense", raising(ZeroDivisionError())):
            outcome, bench, _ = self._judged(word, DENY, OK)
            self.assertIs(outcome, DENY)
            self.assertEqual(bench.asked, ["p0"])
            self.flushLoggedErrors()

    def test_not_told_of_acceptance(self) -> None:
        """It hears of denials only."""
        for verdict in (OK, STOP, None):
            _, _, told = self._judged(None, verdict)
            self.assertEqual(told, [])

    def test_waits(self) -> None:
        """Its word is waited for."""
        word = Deferred[Any]()
        outcome, bench, _ = self._judged(word, DENY, STOP)
        self.assertNoResult(outcome)
        word.callback(OK)
        self.assertIs(self.successResultOf(outcome), STOP)
        self.assertEqual(bench.asked, ["p0", "p1"])

    def test_both_wait(self) -> None:
        """Also for a denial that had to be waited for."""
        word, verdict = Deferred[Any](), Deferred[Any]()
        outcome, _, _ = self._judged(word, verdict, STOP)
        verdict.callback(DENY)
        self.assertNoResult(outcome)
        word.callback(None)
        self.assertIs(self.successResultOf(outcome), DENY)

    def test_time_out_is_a_denial(self) -> None:
        """It hears of a plugin that did not answer in time, too."""
        outcome, bench, told = self._judged(OK, Deferred[Any](), STOP)
        bench.clock.advance(30)
        self.assertIs(self.successResultOf(outcome), STOP)
        self.assertEqual([each.verdict for each in told], [DENYSOFT])
