"""
Put denials off until a recipient is named, so that users who log in are not shut out.

@see: Haraka row PB08
"""

from typing import Final

import attrs
from twisted.logger import Logger

from harakatw.hooks.search import successor
from harakatw.plugin import (
    OK,
    Address,
    Denial,
    IConnection,
    IDataHook,
    IDenyHook,
    IRcptOkHook,
    Verdict,
    doc,
    implementer,
)
from harakatw.plugins._transaction import transaction_of

HEADER: Final = "X-Haraka-Fail-Pre"

_NOTE: Final = "delay_deny"
_OF_SESSION = frozenset(("lookup_rdns", "connect", "helo", "ehlo"))
_OF_TRANSACTION = frozenset(("mail", "rcpt"))


@attrs.frozen(kw_only=True)
class DelayDenyOptions:
    """Whose denials are put off."""

    included_plugins: frozenset[str] = attrs.field(
        default=frozenset(),
        metadata=doc(
            "Put off the denials of these only, each plugin, plugin:hook or "
            "plugin:hook:method."
        ),
    )
    excluded_plugins: frozenset[str] = attrs.field(
        default=frozenset(),
        metadata=doc(
            "Put off all denials but those of these; without effect when there are "
            "included_plugins."
        ),
    )


@attrs.define(eq=False)
class _Postponed:
    """
    What was put off in one session. A plugin's method has one denial on a hook, the
    last, so that this does not grow with what a client tries.

    @ivar session: denials of the client, by plugin, hook and method.
    @ivar transaction: denials of a sender or a recipient, likewise.
    @ivar uuid: of the transaction that these belong to.
    """

    session: dict[tuple[str, str, str], Denial] = attrs.field(factory=dict)
    transaction: dict[tuple[str, str, str], Denial] = attrs.field(factory=dict)
    uuid: str = ""

    def add(self, denial: Denial, uuid: str) -> None:
        """
        Put a denial off.

        @param uuid: of the transaction; C{""} for a denial of the client.
        """
        if uuid:
            self.begin(uuid)
        known = self.transaction if uuid else self.session
        known[denial.plugin, denial.hook, denial.method] = denial

    def begin(self, uuid: str) -> None:
        """Forget what belongs to another transaction than this."""
        if uuid != self.uuid:
            self.uuid, self.transaction = uuid, {}

    def due(self, recipient: Address) -> Denial | None:
        """The first denial that this recipient's mail would have met."""
        for denial in self.session.values():
            return denial
        for denial in self.transaction.values():
            if denial.hook == "mail" or denial.args[0] is recipient:
                return denial
        return None

    @property
    def plugins(self) -> tuple[str, ...]:
        """Who denied, in order, each once."""
        denials = (*self.session.values(), *self.transaction.values())
        return tuple(dict.fromkeys(denial.plugin for denial in denials))


@implementer(IDenyHook, IRcptOkHook, IDataHook)
@attrs.frozen
class DelayDeny:
    """
    Overrides denials before C{rcpt_ok}, and says there what they said, unless the
    client may relay by then.
    """

    options: DelayDenyOptions
    name: str
    _included: frozenset[str] = attrs.field(init=False)
    _excluded: frozenset[str] = attrs.field(init=False)
    _log = Logger()

    @_included.default
    def _read_included(self) -> frozenset[str]:
        return frozenset(map(_today, self.options.included_plugins))

    @_excluded.default
    def _read_excluded(self) -> frozenset[str]:
        return frozenset(map(_today, self.options.excluded_plugins))

    def hook_deny(self, connection: IConnection, denial: Denial) -> Verdict | None:
        if denial.plugin == self.name or not self._is_put_off(denial):
            return None
        if denial.hook == "rcpt_ok":  # later there is nothing to put it off to
            return OK if connection.relaying else None
        if denial.hook in _OF_TRANSACTION:
            uuid = transaction_of(connection).uuid
        elif denial.hook in _OF_SESSION:
            uuid = ""
        else:
            return None
        postponed = connection.notes.get(_NOTE)
        if postponed is None:
            postponed = _Postponed()
            connection.notes.set(_NOTE, postponed)
        postponed.add(denial, uuid)
        self._log.info(
            "{uuid} denial by {plugin} on {hook} put off: {text}",
            uuid=uuid or connection.uuid,
            plugin=denial.plugin,
            hook=denial.hook,
            text=denial.verdict.text,
        )
        return OK

    def hook_rcpt_ok(
        self, connection: IConnection, recipient: Address
    ) -> Verdict | None:
        postponed: _Postponed | None = connection.notes.get(_NOTE)
        if postponed is None:
            return None
        uuid = transaction_of(connection).uuid
        postponed.begin(uuid)
        denial = postponed.due(recipient)
        if denial is None:
            return None
        if not connection.relaying:
            return _said_later(denial.verdict)
        self._log.info(
            "{uuid} may relay: denial by {plugin} on {hook} is not applied",
            uuid=uuid,
            plugin=denial.plugin,
            hook=denial.hook,
        )
        return None

    def hook_data(self, connection: IConnection) -> None:
        postponed: _Postponed | None = connection.notes.get(_NOTE)
        if postponed is None:
            return
        transaction = transaction_of(connection)
        postponed.begin(transaction.uuid)
        if postponed.plugins:
            transaction.add_header(HEADER, " ".join(postponed.plugins))

    def _is_put_off(self, denial: Denial) -> bool:
        names = (
            denial.plugin,
            f"{denial.plugin}:{denial.hook}",
            f"{denial.plugin}:{denial.hook}:{denial.method}",
        )
        if self._included:
            return not self._included.isdisjoint(names)
        return self._excluded.isdisjoint(names)


def _today(entry: str) -> str:
    """An entry with the name that its plugin has today."""
    plugin, colon, rest = entry.partition(":")
    return f"{successor(plugin)}{colon}{rest}"


def _said_later(verdict: Verdict) -> Verdict:
    """
    A verdict as the answer to RCPT: 421 there would announce the end of the session
    (RFC 5321 section 3.8), which only C{DENYSOFTDISCONNECT} means.
    """
    return attrs.evolve(verdict, code=0) if verdict.code == 421 else verdict
