"""
The table of extensions: what each lets a client write after MAIL and RCPT.

A session has an L{Offer}: what EHLO announced, and nothing else is taken. So an
extension that is switched off, or that a plugin took from the list, is refused, and one
that a plugin put there is known if it stands in the table.

@see: RFC 5321 section 4.1.1.1, section 4.1.1.11
"""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Final

import attrs

from harakatw.errors import ProtocolError
from harakatw.reply import reply
from harakatw.wire.demands import (
    parse_by,
    parse_hold_for,
    parse_hold_until,
    parse_priority,
)
from harakatw.wire.dsn import parse_envid, parse_notify, parse_orcpt, parse_ret
from harakatw.wire.params import Params, decode_xtext, parse_body, parse_size


@attrs.frozen(kw_only=True)
class Terms:
    """
    What the values of parameters are measured by.

    @ivar max_bytes: the largest message taken, in octets; 0 is no limit.
    @ivar binary: is BINARYMIME announced?
    @ivar max_hold_seconds: for how long a message may be held back.
    @ivar now: seconds since 1970.
    """

    max_bytes: int = 0
    binary: bool = False
    max_hold_seconds: float = 0.0
    now: Callable[[], float] = float


MailCheck = Callable[[str | None, Params, Terms], object]
"""
Looks at a parameter of MAIL: its value as received, or L{None} if there was no C{=},
and all parameters of the command. It raises L{ProtocolError} if that cannot be.
"""

RcptCheck = Callable[[str | None, bool], object]
"""The same for RCPT, with whether the transaction has SMTPUTF8."""


@attrs.frozen
class Extension:
    """
    One row of the table.

    @ivar mail: the parameters that it adds to MAIL, in upper case.
    @ivar rcpt: likewise to RCPT.
    """

    mail: Mapping[str, MailCheck] = MappingProxyType({})
    rcpt: Mapping[str, RcptCheck] = MappingProxyType({})


def _flag(name: str) -> MailCheck:
    answer = reply(501, "5.5.4", f"{name} takes no value")

    def check(value: str | None, params: Params, terms: Terms) -> None:
        if value is not None:
            raise ProtocolError(answer)

    return check


def _check_size(value: str | None, params: Params, terms: Terms) -> None:
    parse_size(value, terms.max_bytes)


def _check_body(value: str | None, params: Params, terms: Terms) -> None:
    parse_body(value, binary=terms.binary)


def _check_ret(value: str | None, params: Params, terms: Terms) -> None:
    parse_ret(value)


def _check_envid(value: str | None, params: Params, terms: Terms) -> None:
    parse_envid(value)


def _check_auth(value: str | None, params: Params, terms: Terms) -> None:
    if value != "<>":
        decode_xtext(value)


def _check_notify(value: str | None, utf8: bool) -> None:
    parse_notify(value)


def _check_orcpt(value: str | None, utf8: bool) -> None:
    parse_orcpt(value, utf8=utf8)


def _check_by(value: str | None, params: Params, terms: Terms) -> None:
    parse_by(value)


def _check_hold_for(value: str | None, params: Params, terms: Terms) -> None:
    if "HOLDUNTIL" in params:
        raise ProtocolError(HELD_TWICE)
    _check_hold(parse_hold_for(value), params, terms)


def _check_hold_until(value: str | None, params: Params, terms: Terms) -> None:
    _check_hold(parse_hold_until(value) - terms.now(), params, terms)


def _check_hold(seconds: float, params: Params, terms: Terms) -> None:
    """
    RFC 4865 section 4.1; what is to be held until after it has to be there is a slip.
    """
    if seconds > terms.max_hold_seconds:
        raise ProtocolError(HELD_TOO_LONG, seconds=seconds)
    if "BY" in params and parse_by(params["BY"]).seconds < seconds:
        raise ProtocolError(HELD_TOO_LONG, seconds=seconds)


def _check_priority(value: str | None, params: Params, terms: Terms) -> None:
    parse_priority(value)


HELD_TWICE: Final = reply(501, "5.5.4", "Either HOLDFOR or HOLDUNTIL, not both")
HELD_TOO_LONG: Final = reply(501, "5.5.4", "The message would be held for too long")

_WITHOUT_PARAMS: Final = Extension()

EXTENSIONS: Final[Mapping[str, Extension]] = MappingProxyType(
    {
        "8BITMIME": Extension({"BODY": _check_body}),  # RFC 6152
        "AUTH": Extension({"AUTH": _check_auth}),  # RFC 4954 section 5
        "DELIVERBY": Extension({"BY": _check_by}),  # RFC 2852
        "DSN": Extension(  # RFC 3461
            {"RET": _check_ret, "ENVID": _check_envid},
            {"NOTIFY": _check_notify, "ORCPT": _check_orcpt},
        ),
        "FUTURERELEASE": Extension(  # RFC 4865
            {"HOLDFOR": _check_hold_for, "HOLDUNTIL": _check_hold_until}
        ),
        "MT-PRIORITY": Extension({"MT-PRIORITY": _check_priority}),  # RFC 6710
        "REQUIRETLS": Extension({"REQUIRETLS": _flag("REQUIRETLS")}),  # RFC 8689
        "SIZE": Extension({"SIZE": _check_size}),  # RFC 1870
        "SMTPUTF8": Extension({"SMTPUTF8": _flag("SMTPUTF8")}),  # RFC 6531
    }
)
"""By keyword; one that is not there adds no parameters."""


@attrs.frozen(eq=False, kw_only=True)
class Offer:
    """
    What one reply to EHLO announced, and so what may be used.

    @ivar lines: of the reply, after the first.
    @ivar keywords: the first word of each, in upper case.
    @ivar mail: the parameters that MAIL may have.
    @ivar rcpt: the parameters that RCPT may have.
    @ivar terms: for their values.
    @ivar utf8: may addresses be other than ASCII (RFC 6531)?
    """

    lines: tuple[str, ...]
    keywords: frozenset[str]
    mail: Mapping[str, MailCheck]
    rcpt: Mapping[str, RcptCheck]
    terms: Terms
    utf8: bool

    def check_mail(self, params: Params) -> None:
        """
        Look at the parameters of a MAIL. Hot.

        @raise ProtocolError: 555 5.5.4 for a parameter that was not announced; 501
            5.5.4, or what else the parameter's own document asks for, for a value that
            cannot be.
        """
        for name, value in params.items():
            check = self.mail.get(name)
            if check is None:
                raise _not_announced(name)
            check(value, params, self.terms)

    def check_rcpt(self, params: Params, *, utf8: bool) -> None:
        """
        Look at the parameters of a RCPT; otherwise as L{check_mail}.

        @param utf8: did the transaction's MAIL have SMTPUTF8?
        """
        for name, value in params.items():
            check = self.rcpt.get(name)
            if check is None:
                raise _not_announced(name)
            check(value, utf8)


def _not_announced(name: str) -> ProtocolError:
    return ProtocolError(reply(555, "5.5.4", f"{name} is not supported here"))


def make_offer(lines: Iterable[str], terms: Terms) -> Offer:
    """
    What a client may use that was told this.

    @param lines: such as C{SIZE 1000}, in any case.
    @param terms: without what follows from the lines.
    """
    lines = tuple(lines)
    words = (line.split(maxsplit=1) for line in lines)
    keywords = frozenset(word[0].upper() for word in words if word)
    mail: dict[str, MailCheck] = {}
    rcpt: dict[str, RcptCheck] = {}
    for keyword in keywords:
        extension = EXTENSIONS.get(keyword, _WITHOUT_PARAMS)
        mail.update(extension.mail)
        rcpt.update(extension.rcpt)
    return Offer(
        lines=lines,
        keywords=keywords,
        mail=MappingProxyType(mail),
        rcpt=MappingProxyType(rcpt),
        terms=attrs.evolve(terms, binary="BINARYMIME" in keywords),
        utf8="SMTPUTF8" in keywords,
    )


NOTHING: Final = make_offer((), Terms())
"""What a client may use that has said HELO, or nothing."""
