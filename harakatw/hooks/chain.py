"""
Run one hook: ask its plugins in order until one of them decides.

While plugins answer at once this is a plain loop that returns a L{Verdict}; only a
plugin that waits costs a coroutine and a Deferred.
"""

from collections.abc import Callable, Sequence
from inspect import iscoroutine
from typing import Any, Final, Protocol

import attrs
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from harakatw.hooks.pending import Expired, Pending
from harakatw.interfaces.ruling import Denial
from harakatw.verdict import CONT, HookRule, Kind, Verdict

Outcome = Verdict | Deferred[Verdict]

BLOCKED_SECONDS: Final = 0.1
"""
A plugin whose method takes longer to return is named in the log: all sessions wait for
it (survey row 40).
"""

HookMethod = Callable[..., Any]
"""A plugin's method on a hook, bound; what it may return is checked when it has."""


class Subject(Protocol):
    """
    What a hook is called on: a connection, or a queued message.

    @ivar uuid: for the log.
    @ivar watch: L{None}, or what wants to see each call (L{Watch}).
    """

    @property
    def uuid(self) -> str:
        """For the log."""

    @property
    def watch(self) -> "Watch | None":
        """What wants to see each call."""


class Watch(Protocol):
    """
    Sees each call of a plugin; while nobody watches, that costs one look at an
    attribute.
    """

    def skips(self, plugin: str) -> bool:
        """Is this plugin not to be called at all?"""

    def ruled(
        self, hook: str, origin: "Origin", verdict: Verdict, seconds: float
    ) -> None:
        """C{origin} said C{verdict} on C{hook}, after C{seconds}."""


@attrs.frozen
class Origin:
    """
    Where a step of a chain comes from.

    @ivar plugin: the plugin's name in C{config/plugins}.
    @ivar method: the method's name.
    @ivar priority: -100 to 100, low first.
    @ivar timeout_seconds: how long its verdict may take; 0 is for ever.
    """

    plugin: str
    method: str
    priority: int
    timeout_seconds: float


@attrs.frozen(eq=False)
class Chain:
    """
    The plugins of one hook, in order.

    @ivar rule: the hook's row of the table.
    @ivar steps: the methods, bound when the plugins were loaded.
    @ivar origins: whose they are, in the same order.
    @ivar clock: for time-outs.
    @ivar deny: the chain of the C{deny} hook, L{None} where denials are not reported.
    """

    rule: HookRule
    steps: tuple[HookMethod, ...]
    origins: tuple[Origin, ...]
    clock: IReactorTime
    deny: "Chain | None" = None
    _log = Logger()

    def run(self, subject: Subject, *args: object) -> Outcome:
        """
        Ask the plugins.

        @return: the first verdict that is not C{CONT}, or C{CONT}; a Deferred of it
            only if a plugin waits. The Deferred never fails, and may be cancelled.
        """
        if not self.steps:
            return CONT
        return self._run_from(0, subject, args)

    def _run_from(
        self, position: int, subject: Subject, args: tuple[object, ...]
    ) -> Outcome:
        if subject.watch is not None:
            return self._run_watched(position, subject, args)
        runs_all, seconds = self.rule.runs_all, self.clock.seconds
        for step in self.steps[position:]:
            position += 1
            began = seconds()
            try:
                verdict = step(subject, *args)
            except Exception:
                verdict = self._raised(position - 1, subject)
            if seconds() - began > BLOCKED_SECONDS:
                self._blocked(position - 1, subject, seconds() - began)
            if verdict is None or verdict is CONT:
                if subject.watch is None:
                    continue
                return self._run_watched(position, subject, args)  # it was set just now
            if type(verdict) is not Verdict:
                return self._wait(verdict, position - 1, subject, args)
            if verdict.denies and self.deny is not None:
                return self._denied(verdict, position - 1, subject, args)
            if not runs_all and verdict.kind is not Kind.CONT:
                return verdict
        return CONT

    def _run_watched(
        self, position: int, subject: Subject, args: tuple[object, ...]
    ) -> Outcome:
        """One step with a watcher; the rest goes through L{_run_from} again."""
        watch = subject.watch
        while position < len(self.steps):
            if watch is None:
                return self._run_from(position, subject, args)
            origin = self.origins[position]
            if watch.skips(origin.plugin):
                position += 1
                continue
            began = self.clock.seconds()
            try:
                verdict = self.steps[position](subject, *args)
            except Exception:
                verdict = self._raised(position, subject)
            if verdict is not None and type(verdict) is not Verdict:
                return self._wait(verdict, position, subject, args, began)
            verdict = verdict or CONT
            seconds = self.clock.seconds() - began
            if seconds > BLOCKED_SECONDS:
                self._blocked(position, subject, seconds)
            watch.ruled(self.rule.name, origin, verdict, seconds)
            if verdict.denies and self.deny is not None:
                return self._denied(verdict, position, subject, args)
            if verdict.kind is not Kind.CONT and not self.rule.runs_all:
                return verdict
            position += 1
            watch = subject.watch
        return CONT

    def _wait(
        self,
        answer: object,
        position: int,
        subject: Subject,
        args: tuple[object, ...],
        began: float = -1.0,
    ) -> Outcome:
        """A plugin gave no verdict: wait for it, if it can be waited for."""
        if isinstance(answer, Deferred) or iscoroutine(answer):
            return Deferred.fromCoroutine(
                self._settle(answer, position, subject, args, began)
            )
        self._nonsense(answer, position, subject)
        return self._go_on(self.rule.fault, position, subject, args)

    async def _settle(
        self,
        answer: Any,
        position: int,
        subject: Subject,
        args: tuple[object, ...],
        began: float,
    ) -> Verdict:
        origin = self.origins[position]
        excuse = getattr(subject, "excused_seconds", None)  # a session's only
        pending = Pending(answer, origin.timeout_seconds, self.clock, excuse)
        try:
            verdict = await pending.outcome
        except Expired:
            self._log.error(
                "{uuid} plugin {plugin} gave no verdict on {hook} within {seconds} s",
                uuid=subject.uuid,
                plugin=origin.plugin,
                hook=self.rule.name,
                seconds=origin.timeout_seconds,
            )
            verdict = self.rule.late
        except Exception:
            if pending.given_up:
                return CONT
            verdict = self._raised(position, subject)
        if verdict is not None and type(verdict) is not Verdict:
            self._nonsense(verdict, position, subject)
            verdict = self.rule.fault
        verdict = verdict or CONT
        if subject.watch is not None and began >= 0:
            subject.watch.ruled(
                self.rule.name, origin, verdict, self.clock.seconds() - began
            )
        outcome = self._go_on(verdict, position, subject, args)
        return await outcome if isinstance(outcome, Deferred) else outcome

    def _go_on(
        self,
        verdict: Verdict,
        position: int,
        subject: Subject,
        args: tuple[object, ...],
    ) -> Outcome:
        """
        After the step at C{position} said C{verdict}: end the chain, or ask the rest.
        """
        if verdict.denies and self.deny is not None:
            return self._denied(verdict, position, subject, args)
        if verdict.kind is Kind.CONT or self.rule.runs_all:
            return self._run_from(position + 1, subject, args)
        return verdict

    def _denied(
        self,
        verdict: Verdict,
        position: int,
        subject: Subject,
        args: tuple[object, ...],
    ) -> Outcome:
        """Tell the C{deny} hook; its C{OK} overrides the denial (row HK27)."""
        if self.deny is None or not self.deny.steps:
            return self._after_denial(CONT, verdict, position, subject, args)
        origin = self.origins[position]
        denial = Denial(verdict, origin.plugin, origin.method, self.rule.name, args)
        outcome = self.deny.run(subject, denial)
        if isinstance(outcome, Deferred):
            return outcome.addCallback(
                self._after_denial, verdict, position, subject, args
            )
        return self._after_denial(outcome, verdict, position, subject, args)

    def _after_denial(
        self,
        ruling: Verdict,
        verdict: Verdict,
        position: int,
        subject: Subject,
        args: tuple[object, ...],
    ) -> Outcome:
        if ruling.kind is Kind.OK or self.rule.runs_all:
            return self._run_from(position + 1, subject, args)
        return verdict

    def _raised(self, position: int, subject: Subject) -> Verdict:
        """
        Called in an C{except}: a plugin's exception counts as the hook's fault verdict.
        """
        self._log.failure(
            "{uuid} plugin {plugin} raised in hook_{hook}",
            uuid=subject.uuid,
            plugin=self.origins[position].plugin,
            hook=self.rule.name,
        )
        return self.rule.fault

    def _blocked(self, position: int, subject: Subject, seconds: float) -> None:
        """A plugin held everything up: it should have returned a Deferred."""
        self._log.warn(
            "{uuid} plugin {plugin} blocked the server for {seconds:.2f} s in"
            " hook_{hook}",
            uuid=subject.uuid,
            plugin=self.origins[position].plugin,
            seconds=seconds,
            hook=self.rule.name,
        )

    def _nonsense(self, answer: object, position: int, subject: Subject) -> None:
        self._log.error(
            "{uuid} plugin {plugin} returned {answer!r} from {method}, not a verdict",
            uuid=subject.uuid,
            plugin=self.origins[position].plugin,
            method=self.origins[position].method,
            answer=answer,
        )


def make_chain(
    rule: HookRule,
    steps: Sequence[tuple[Origin, HookMethod]],
    clock: IReactorTime,
    deny: Chain | None = None,
) -> Chain:
    """
    Order the steps by priority, those of equal priority as they come (row RG04).
    """
    ordered = sorted(steps, key=lambda step: step[0].priority)
    return Chain(
        rule,
        tuple(method for _, method in ordered),
        tuple(origin for origin, _ in ordered),
        clock,
        deny,
    )
