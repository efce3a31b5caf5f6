"""What a postmaster may say about reports (Haraka row CF61)."""

from collections.abc import Callable
from typing import Any, Final

import attrs
from attrs.validators import ge, le

from harakatw.config.options import data_file, doc
from harakatw.outbound.dsn.templates import parse_image, parse_template

MEBIOCTET: Final = 1 << 20

_VARIABLES: Final = (
    "{date}, {me}, {from}, {to}, {subject}, {recipients}, {reason}, {extended_reason}, "
    "{pid}, {msgid}"
)


def _parsed_by(parse: Callable[[tuple[str, ...]], object]) -> Callable[..., None]:
    def validate(
        instance: object, attribute: "attrs.Attribute[Any]", value: tuple[str, ...]
    ) -> None:
        if value:
            parse(value)

    return validate


def _has_html(
    instance: "BounceOptions",
    attribute: "attrs.Attribute[Any]",
    value: tuple[str, ...],
) -> None:
    if value and not instance.html:
        raise ValueError("outbound.bounce_message_html, which shows it, is missing")


@attrs.frozen(kw_only=True)
class BounceOptions:
    """The words of reports to senders, and how much of their messages comes back."""

    message: tuple[str, ...] = attrs.field(
        default=(),
        validator=_parsed_by(parse_template),
        metadata=data_file(
            "outbound.bounce_message",
            "What a report of failure says: header fields, an empty line and text, with"
            f" the variables {_VARIABLES}; without it, built-in words.",
        ),
    )
    html: tuple[str, ...] = attrs.field(
        default=(),
        metadata=data_file(
            "outbound.bounce_message_html",
            "The same text in HTML; without it, there is none.",
        ),
    )
    image: tuple[str, ...] = attrs.field(
        default=(),
        validator=[_parsed_by(parse_image), _has_html],
        metadata=data_file(
            "outbound.bounce_message_image",
            "A picture for the HTML: a MIME part with its header, in base64.",
        ),
    )
    delay_message: tuple[str, ...] = attrs.field(
        default=(),
        validator=_parsed_by(parse_template),
        metadata=data_file(
            "outbound.delay_message",
            "What a report of delay says, as outbound.bounce_message, and with the"
            " variable {until}; without it, built-in words.",
        ),
    )
    success_message: tuple[str, ...] = attrs.field(
        default=(),
        validator=_parsed_by(parse_template),
        metadata=data_file(
            "outbound.success_message",
            "What a report of success says, as outbound.bounce_message; without it,"
            " built-in words.",
        ),
    )
    max_returned_bytes: int = attrs.field(
        default=MEBIOCTET,
        validator=[ge(0), le(64 * MEBIOCTET)],
        metadata=doc(
            "The largest message that comes back whole with a report of failure, if"
            " its sender asked for that; of others, the header does.",
            unit="octets",
            section="bounce",
            file="outbound.ini",
        ),
    )
