"""
Which extensions are offered: a part of C{connection.ini}.

@see: RFC 5321 section 2.2
"""

from typing import ClassVar, Final

import attrs

from harakatw.config.options import doc

_SECTION: Final = "extensions"


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
