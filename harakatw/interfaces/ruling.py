"""What a hook method may return, and what the C{deny} hook is told."""

from collections.abc import Coroutine
from typing import Any

import attrs
from twisted.internet.defer import Deferred

from harakatw.verdict import Verdict

Answer = Verdict | None
"""What a plugin says at once."""

Ruling = Answer | Deferred[Answer] | Coroutine[Any, Any, Answer]
"""What a hook method may return."""


@attrs.frozen
class Denial:
    """
    Who denied what: the argument of the C{deny} hook.

    @ivar verdict: the denial.
    @ivar plugin: the plugin's name in C{config/plugins}.
    @ivar method: the name of the method that said so.
    @ivar hook: the hook it was called on.
    @ivar args: the arguments of that call but for the connection.
    """

    verdict: Verdict
    plugin: str
    method: str
    hook: str
    args: tuple[object, ...]
