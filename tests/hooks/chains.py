"""Chains of fake plugins without a server."""

from collections.abc import Sequence
from typing import Any

import attrs
from twisted.internet.task import Clock

from harakatw.hook_rules import HOOK_RULES
from harakatw.hooks.chain import Chain, HookMethod, Origin, Outcome, Watch, make_chain
from harakatw.verdict import Verdict


@attrs.define
class Talk:
    """What a hook is called on, for tests: a session without a network."""

    uuid: str = "UUID"
    watch: Watch | None = None


@attrs.define
class Recorder:
    """
    Sees each call of a plugin.

    @ivar seen: hook, plugin, verdict and seconds of each.
    @ivar skipped: plugins that are not to be called.
    """

    seen: list[tuple[str, str, Verdict, float]] = attrs.field(factory=list)
    skipped: frozenset[str] = frozenset()

    def skips(self, plugin: str) -> bool:
        """Is this plugin not to be called?"""
        return plugin in self.skipped

    def ruled(
        self, hook: str, origin: Origin, verdict: Verdict, seconds: float
    ) -> None:
        """Note it."""
        self.seen.append((hook, origin.plugin, verdict, seconds))


@attrs.define
class Bench:
    """
    Runs chains of one hook.

    @ivar hook: its name.
    @ivar asked: the names of the plugins asked, in order.
    """

    hook: str = "rcpt"
    clock: Clock = attrs.field(factory=Clock)
    talk: Talk = attrs.field(factory=Talk)
    asked: list[str] = attrs.field(factory=list)
    timeout_seconds: float = 30

    def chain(
        self, *answers: Any, deny: Chain | None = None, priorities: Sequence[int] = ()
    ) -> Chain:
        """
        A chain of plugins named C{p0}, C{p1} and so on.

        @param answers: of each: what it returns, or a function of its arguments.
        """
        steps = [
            (
                Origin(
                    f"p{number}",
                    f"hook_{self.hook}",
                    priorities[number] if priorities else 0,
                    self.timeout_seconds,
                ),
                self._step(f"p{number}", answer),
            )
            for number, answer in enumerate(answers)
        ]
        return make_chain(HOOK_RULES[self.hook], steps, self.clock, deny)

    def run(self, *answers: Any, deny: Chain | None = None) -> Outcome:
        """Ask plugins with these answers."""
        return self.chain(*answers, deny=deny).run(self.talk)

    def _step(self, name: str, answer: Any) -> HookMethod:
        def step(*args: Any) -> Any:
            self.asked.append(name)
            return answer(*args) if callable(answer) else answer

        return step
