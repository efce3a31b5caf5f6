"""
Reports to senders: what became of their mail.

@see: RFC 3464 (the form), RFC 3461 section 5 and 6 (when), RFC 6522
    (C{multipart/report}), RFC 3834 (C{Auto-Submitted}); Haraka rows OB45 to OB49
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

import attrs

from harakatw.interfaces.queue import Demands, QueuedMessage
from harakatw.message.received import rfc5322_date
from harakatw.outbound.dsn.mime import Part, multipart, text_part
from harakatw.outbound.dsn.options import BounceOptions
from harakatw.outbound.dsn.original import Original, read_original
from harakatw.outbound.dsn.recipients import Action, Kind, ReportedRecipient
from harakatw.outbound.dsn.status import status_body
from harakatw.outbound.dsn.templates import (
    BUILT_IN,
    Template,
    fill_html,
    parse_image,
    parse_template,
)
from harakatw.outbound.dsn.text import clean_line, folded_field, plain_field
from harakatw.wire.params import EMPTY_PARAMS, Params

MAX_EXPLAINED: Final = 100
"""Recipients that the text names; programs are told of all."""


@attrs.frozen(kw_only=True)
class Report:
    """
    A report, ready to be queued with the null path as its sender.

    @ivar recipient: whom it goes to: the sender of the message, without brackets.
    @ivar octets: with CRLF line ends, not dot-stuffed.
    @ivar is_8bit: is there an octet above 127 in it?
    @ivar is_utf8: does it need SMTPUTF8?
    @ivar params: of MAIL: what it has in common with the message.
    """

    recipient: str
    octets: bytes
    is_8bit: bool
    is_utf8: bool
    params: Params = EMPTY_PARAMS


@attrs.frozen(eq=False, kw_only=True)
class Reporter:
    """
    Writes the reports of one server.

    @ivar me: the server's name.
    @ivar options: the postmaster's words.
    @ivar new_id: makes up to 40 letters and digits that nobody can guess.
    @ivar pid: of this process, for templates.
    """

    me: str
    options: BounceOptions
    new_id: Callable[[], str]
    pid: int
    _templates: Mapping[Kind, Template] = attrs.field(init=False)
    _image: Part | None = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        own = {
            Kind.FAILURE: self.options.message,
            Kind.DELAY: self.options.delay_message,
            Kind.SUCCESS: self.options.success_message,
        }
        templates = {
            kind: parse_template(own[kind]).with_head_of(built_in)
            if own[kind]
            else built_in
            for kind, built_in in BUILT_IN.items()
        }
        object.__setattr__(self, "_templates", templates)
        image = parse_image(self.options.image) if self.options.image else None
        object.__setattr__(self, "_image", image)

    def report(
        self,
        kind: Kind,
        message: QueuedMessage,
        recipients: Iterable[ReportedRecipient],
        original: Iterable[bytes],
        now: float,
    ) -> Report | None:
        """
        Tell the sender of a message what became of it: one report for all recipients.

        @param kind: what to report on.
        @param recipients: of one attempt; those of other kinds are passed over, and
            those of whom the sender does not want to know.
        @param original: the message's octets; read no further than needed. Empty if
            they are lost. What reading it raises passes through; if it reads a file,
            all of this belongs into a thread.
        @param now: in seconds since 1970.
        @return: L{None} if there is nothing to say, or nobody to tell: a message from
            the null path gets no report, or two servers could send them for ever (RFC
            5321 section 4.5.5).
        """
        told = tuple(
            each
            for each in recipients
            if each.action.kind is kind and each.is_asked_for
        )
        if not (told and message.sender):
            return None
        # RFC 3461 section 4.3: more than the header only with a failure. Nothing in a
        # report may be binary (RFC 3030 section 3).
        wants_all = message.ret == "FULL" and not message.is_binary
        returns_all = kind is Kind.FAILURE and wants_all
        max_octets = self.options.max_returned_bytes if returns_all else 0
        returned = read_original(original, max_octets=max_octets)
        token = self.new_id()
        values = self._values(message, told, returned, now, token)
        is_utf8 = not message.sender.isascii()
        fields = self._fields(kind, values, returned, is_utf8)
        entity = multipart(
            "multipart/report; report-type=delivery-status",
            self._parts(kind, message, told, returned, values, token),
            f"0{token}",
        )
        return Report(
            recipient=message.sender,
            octets=b"".join((*fields, bytes(entity))),
            is_8bit=entity.is_8bit or is_utf8,
            is_utf8=is_utf8,
            params=_params(message.demands),
        )

    def _values(
        self,
        message: QueuedMessage,
        told: Sequence[ReportedRecipient],
        returned: Original,
        now: float,
        token: str,
    ) -> Mapping[str, str]:
        """What the variables of templates stand for."""
        addresses = [_bracketed(each.recipient.address) for each in told]
        until = max((each.retry_until or 0 for each in told), default=0)
        return {
            "date": rfc5322_date(now),
            "me": self.me,
            "from": _bracketed(message.sender),
            "to": addresses[0],
            "subject": clean_line(returned.subject) or "(no subject)",
            "recipients": ", ".join(_first(addresses)),
            "reason": told[0].said,
            "extended_reason": "\n".join(_first([*map(_explained, told)])),
            "pid": str(self.pid),
            "msgid": f"<{token}@{self.me}>",
            "until": rfc5322_date(until) if until else "it is too late",
        }

    def _fields(
        self, kind: Kind, values: Mapping[str, str], returned: Original, utf8: bool
    ) -> list[bytes]:
        fields = self._templates[kind].fields(values, utf8=utf8)
        if returned.message_id:
            fields.append(folded_field("In-Reply-To", returned.message_id))
            fields.append(folded_field("References", returned.message_id))
        fields.append(plain_field("MIME-Version", "1.0"))
        return fields

    def _parts(
        self,
        kind: Kind,
        message: QueuedMessage,
        told: Sequence[ReportedRecipient],
        returned: Original,
        values: Mapping[str, str],
        token: str,
    ) -> list[Part]:
        status = Part(
            plain_field("Content-Type", "message/delivery-status"),
            status_body(message, told, self.me),
        )
        parts = [self._words(kind, values, token), status]
        last = returned.part(is_utf8=message.is_utf8)
        return parts if last is None else [*parts, last]

    def _words(self, kind: Kind, values: Mapping[str, str], token: str) -> Part:
        """What people read: text, and of a failure HTML if there is a template."""
        text = text_part("plain", self._templates[kind].text(values))
        lines = self.options.html
        if kind is not Kind.FAILURE or not lines:
            return text
        shown = text_part("html", fill_html("\n".join(lines), values) + "\n")
        if self._image is not None:
            parts = (shown, self._image)
            shown = multipart('multipart/related; type="text/html"', parts, f"2{token}")
        return multipart("multipart/alternative", (text, shown), f"1{token}")


def _params(demands: Demands) -> Params:
    """As secret and as urgent as the message (RFC 8689 section 5, RFC 6710)."""
    params: dict[str, str | None] = {}
    if demands.requires_tls:
        params["REQUIRETLS"] = None
    if demands.priority:
        params["MT-PRIORITY"] = str(demands.priority)
    return params or EMPTY_PARAMS


def _bracketed(address: str) -> str:
    return f"<{clean_line(address)}>"


def _first(lines: list[str]) -> list[str]:
    """As many as people read."""
    if len(lines) <= MAX_EXPLAINED:
        return lines
    return [*lines[:MAX_EXPLAINED], f"and {len(lines) - MAX_EXPLAINED} more"]


def _explained(told: ReportedRecipient) -> str:
    """One line on a recipient."""
    host = told.remote.text if told.remote else ""
    match told.action:
        case Action.RELAYED:
            what = (
                f"passed on to {host or 'the next host'}, which sends no such reports"
            )
        case Action.EXPANDED:
            what = "sent on to several others, of whom there will be no reports"
        case Action.DELIVERED:
            what = "delivered"
        case _:
            what = f"{host} said: {told.said}" if host else told.said
    return f"{_bracketed(told.recipient.address)}: {what}"
