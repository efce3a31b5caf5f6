"""
Which extensions are offered: a part of C{connection.ini}.

@see: RFC 5321 section 2.2
"""

from typing import ClassVar, Final

import attrs
from attrs.validators import ge, le

from harakatw.config.options import doc

_SECTION: Final = "extensions"


_DAY: Final = 86400.0


def _switch(text: str) -> bool:
    switch: bool = attrs.field(default=True, metadata=doc(text, section=_SECTION))
    return switch


@attrs.frozen(kw_only=True)
class ExtensionOptions:
    """
    The extensions of SMTP that EHLO announces where they fit; what is not announced is
    not taken.
    """

    config_file: ClassVar[str] = "connection.ini"

    dsn: bool = _switch(
        "Offer DSN (RFC 3461): senders may ask for reports, or for none?"
    )
    chunking: bool = _switch(
        "Offer CHUNKING (RFC 3030): a message may come in chunks of known size?"
    )
    binarymime: bool = _switch(
        "Offer BINARYMIME (RFC 3030), too: messages of any octets?"
    )
    requiretls: bool = _switch(
        "Offer REQUIRETLS (RFC 8689) over TLS: a message that goes on only to hosts "
        "whose certificate is right, and that do the same?"
    )
    limits: bool = _switch(
        "Offer LIMITS (RFC 9422): say how many recipients and messages are taken?"
    )
    futurerelease: bool = _switch(
        "Offer FUTURERELEASE (RFC 4865) to those who may relay: mail that is held "
        "until a time of their choice?"
    )
    future_release_max: float = attrs.field(
        default=30 * _DAY,
        validator=[ge(60), le(366 * _DAY)],
        metadata=doc(
            "The longest that mail is held for FUTURERELEASE.",
            unit="seconds",
            section=_SECTION,
        ),
    )
    deliverby: bool = _switch(
        "Offer DELIVERBY (RFC 2852) to those who may relay: mail that comes back, or "
        "is reported, when it is late?"
    )
    mt_priority: bool = _switch(
        "Offer MT-PRIORITY (RFC 6710) to those who may relay: mail that goes before "
        "other mail for the same hosts, or after it?"
    )
    etrn: bool = _switch(
        "Offer ETRN (RFC 1985) to those who may relay: mail for a domain that waits "
        "is tried at once?"
    )
