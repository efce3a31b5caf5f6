"""
What a plugin can say, and what each hook makes of it.

The verdicts are a closed set. A L{HookRule} tells what a hook does with each of them
(the table is C{harakatw.hook_rules}), and L{decide} is the one function that applies
it.

@see: Haraka rows HK01 to HK34
"""

import enum
import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

import attrs

from harakatw.reply import Reply, reply


class Kind(enum.Enum):
    """The ten verdicts, with the numbers that Haraka's plugins return."""

    CONT = 900
    STOP = 901
    DENY = 902
    DENYSOFT = 903
    DENYDISCONNECT = 904
    DISCONNECT = 905
    OK = 906
    NEXT_HOOK = 907
    DELAY = 908
    DENYSOFTDISCONNECT = 909


_DENIALS = frozenset(
    (Kind.DENY, Kind.DENYSOFT, Kind.DENYDISCONNECT, Kind.DENYSOFTDISCONNECT)
)
_HARD = frozenset((Kind.DENY, Kind.DENYDISCONNECT, Kind.DISCONNECT))
_CLASSES: Final[Mapping[Kind, str]] = MappingProxyType(
    {
        Kind.OK: "2",
        Kind.DENY: "5",
        Kind.DENYDISCONNECT: "5",
        Kind.DISCONNECT: "5",
        Kind.DENYSOFT: "4",
        Kind.DENYSOFTDISCONNECT: "4",
    }
)
_ENHANCED = re.compile(r"[245]\.\d{1,3}\.\d{1,3}", re.ASCII)
_CLOSING = frozenset((Kind.DENYDISCONNECT, Kind.DENYSOFTDISCONNECT, Kind.DISCONNECT))


@attrs.frozen
class Verdict:
    """
    One plugin's word on one hook call.

    @ivar kind: which of the ten.
    @ivar lines: text for the reply; empty means the hook's own.
    @ivar code: the reply code, 0 for the hook's own. A denial's is of its class.
    @ivar enhanced: the enhanced status code, C{""} for the hook's own; of the class of
        C{code}, or else of the verdict.
    @ivar value: what C{OK} carries on C{get_mx} (a hop) and C{lookup_rdns} (a name),
        C{DELAY} and C{DENYSOFT} of outbound hooks (seconds), C{NEXT_HOOK} (a hook's
        name).
    """

    kind: Kind
    lines: tuple[str, ...] = ()
    code: int = 0
    enhanced: str = ""
    value: object = None
    denies: bool = attrs.field(init=False, eq=False, repr=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "denies", self.kind in _DENIALS)
        if self.code or self.enhanced:
            _check_codes(self)

    @property
    def text(self) -> str:
        """The lines in one."""
        return " ".join(self.lines)


def _check_codes(verdict: Verdict) -> None:
    """Fail in the plugin that made the mistake, not in the session that it rules on."""
    code, enhanced, wanted = verdict.code, verdict.enhanced, _CLASSES.get(verdict.kind)
    given = str(code)[0] if code else wanted
    fits = not code or 200 <= code <= 599
    if verdict.denies:
        fits = fits and given == wanted
    if enhanced:
        fits = fits and bool(_ENHANCED.fullmatch(enhanced)) and enhanced[0] == given
    if not fits:
        raise ValueError(
            f"{code or ''} {enhanced} does not go with {verdict.kind.name}"
        )


CONT: Final = Verdict(Kind.CONT)
STOP: Final = Verdict(Kind.STOP)
OK: Final = Verdict(Kind.OK)
DENY: Final = Verdict(Kind.DENY)
DENYSOFT: Final = Verdict(Kind.DENYSOFT)
DENYDISCONNECT: Final = Verdict(Kind.DENYDISCONNECT)
DENYSOFTDISCONNECT: Final = Verdict(Kind.DENYSOFTDISCONNECT)
DISCONNECT: Final = Verdict(Kind.DISCONNECT)


def _verdict(
    kind: Kind,
    text: str | Iterable[str],
    code: int,
    enhanced: str,
    value: object = None,
) -> Verdict:
    lines = (text,) if isinstance(text, str) else tuple(text)
    if code and str(code)[0] != _CLASSES[kind]:
        raise ValueError(f"{code} does not go with {kind.name}")
    return Verdict(kind, tuple(filter(None, lines)), code, enhanced, value)


def ok(
    text: str | Iterable[str] = "",
    *,
    code: int = 0,
    enhanced: str = "",
    value: object = None,
) -> Verdict:
    """
    Accept.

    @param value: what the hook asks for: a hop on C{get_mx}, a name on C{lookup_rdns}.
    """
    return _verdict(Kind.OK, text, code, enhanced, value)


def deny(
    text: str | Iterable[str] = "",
    *,
    code: int = 0,
    enhanced: str = "",
    disconnect: bool = False,
) -> Verdict:
    """
    Refuse for good.

    @param text: what the client reads; several lines make a multi-line reply.
    @param code: a 5xx reply code, 0 for the hook's own.
    @param enhanced: such as C{"5.7.1"}, C{""} for the hook's own.
    @param disconnect: close the connection after the reply.
    @raise ValueError: if C{code} or C{enhanced} is not of class 5.
    """
    kind = Kind.DENYDISCONNECT if disconnect else Kind.DENY
    return _verdict(kind, text, code, enhanced)


def deny_soft(
    text: str | Iterable[str] = "",
    *,
    code: int = 0,
    enhanced: str = "",
    disconnect: bool = False,
    value: object = None,
) -> Verdict:
    """
    Refuse for now: the client may try again later.

    @param text: as for L{deny}; C{code} and C{enhanced} are of class 4.
    @param value: on C{deferred}, the seconds until the next attempt (Haraka row HK32).
    @raise ValueError: if C{code} or C{enhanced} is not of class 4.
    """
    kind = Kind.DENYSOFTDISCONNECT if disconnect else Kind.DENYSOFT
    verdict = _verdict(kind, text, code, enhanced)
    return verdict if value is None else attrs.evolve(verdict, value=value)


def delay(seconds: float) -> Verdict:
    """Put a delivery off by C{seconds} (C{send_email} only, Haraka row HK30)."""
    return Verdict(Kind.DELAY, value=seconds)


def next_hook(name: str) -> Verdict:
    """Run the hook C{name} instead (C{unrecognized_command} only, Haraka row HK11)."""
    return Verdict(Kind.NEXT_HOOK, value=name)


class Then(enum.Enum):
    """What becomes of the session after the reply."""

    STAY = "the session goes on"
    CLOSE = "the connection is closed"
    LOOP = "every later command gets the same reply, until QUIT"


@attrs.frozen
class Decision:
    """
    What a hook's verdict means for the session.

    @ivar refused: was the command denied?
    @ivar reply: what the client is told; L{None} where the hook has no reply of its
        own.
    @ivar then: what becomes of the session.
    """

    refused: bool
    reply: Reply | None
    then: Then = Then.STAY


def _read_only(meanings: Mapping[str, str]) -> Mapping[str, str]:
    return MappingProxyType(dict(meanings))


@attrs.frozen(kw_only=True)
class HookRule:
    """
    One row of the table: a hook's replies, and which verdicts it heeds.

    @ivar name: the hook, as in C{hook_<name>}.
    @ivar when: when it is called, for the manual.
    @ivar go_on: reply to C{CONT} and C{None}; L{None} if the hook has none.
    @ivar accept: reply to C{OK}; L{None} if the same as C{go_on}.
    @ivar deny: reply to C{DENY} and C{DENYDISCONNECT}; L{None} if the hook ignores
        denials.
    @ivar soft: reply to C{DENYSOFT} and C{DENYSOFTDISCONNECT}.
    @ivar deny_close: reply to C{DENYDISCONNECT} where it differs from C{deny}.
    @ivar soft_close: reply to C{DENYSOFTDISCONNECT} where it differs from C{soft}.
    @ivar closes: do C{DENYDISCONNECT} and C{DENYSOFTDISCONNECT} close the connection?
    @ivar loops: is a denied session answered the same until QUIT?
    @ivar disconnects: is C{DISCONNECT} heeded?
    @ivar fault: what a plugin's exception counts as.
    @ivar late: what it counts as that a plugin gives no verdict in time.
    @ivar runs_all: do all plugins run, whatever they say?
    @ivar required: does it run to its end though the client has left?
    @ivar meanings: verdicts that mean something else than the above, for the manual.
    """

    name: str
    when: str
    go_on: Reply | None = None
    accept: Reply | None = None
    deny: Reply | None = None
    soft: Reply | None = None
    deny_close: Reply | None = None
    soft_close: Reply | None = None
    closes: bool = True
    loops: bool = False
    disconnects: bool = False
    fault: Verdict = CONT
    late: Verdict = DENYSOFT
    runs_all: bool = False
    required: bool = False
    meanings: Mapping[str, str] = attrs.field(
        factory=lambda: MappingProxyType({}), converter=_read_only
    )
    continued: Decision = attrs.field(init=False, repr=False)
    accepted: Decision = attrs.field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "continued", Decision(False, self.go_on))
        object.__setattr__(self, "accepted", Decision(False, self.accept or self.go_on))


def decide(rule: HookRule, verdict: Verdict) -> Decision:
    """
    Apply the table: what does C{verdict} mean on the hook of C{rule}?

    @return: the reply has the plugin's text and codes where it gave any.
    """
    if verdict is CONT:
        return rule.continued
    if verdict is OK:
        return rule.accepted
    kind = verdict.kind
    if kind is Kind.OK:
        return Decision(False, _worded(rule.accept or rule.go_on, verdict))
    closing = kind in _CLOSING
    stock = _denial(rule, kind in _HARD, closing)
    heeded = verdict.denies or (kind is Kind.DISCONNECT and rule.disconnects)
    if stock is None or not heeded:
        return rule.continued
    then = Then.LOOP if rule.loops else Then.STAY
    if closing and (rule.closes or rule.disconnects):
        then = Then.CLOSE
    return Decision(True, _worded(stock, verdict), then)


def _denial(rule: HookRule, hard: bool, closing: bool) -> Reply | None:
    """The hook's own reply to a denial."""
    plain, last = (rule.deny, rule.deny_close) if hard else (rule.soft, rule.soft_close)
    return last if closing and last is not None else plain


def _worded(stock: Reply | None, verdict: Verdict) -> Reply | None:
    """The hook's own reply, in the plugin's words where it has any."""
    if stock is None or not (verdict.lines or verdict.code or verdict.enhanced):
        return stock
    code = verdict.code or stock.code
    if str(code)[0] != str(stock.code)[0]:
        code = stock.code
    lines = verdict.lines or stock.lines
    if not stock.enhanced:
        return reply(code, "", lines)
    if verdict.enhanced[:1] == str(code)[0]:
        return reply(code, verdict.enhanced, lines)
    said = reply(code, "", lines)  # the text's own enhanced code wins over the hook's
    return said if said.enhanced else Reply(code, stock.enhanced, said.lines)
