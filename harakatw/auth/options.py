"""What all plugins for AUTH heed: C{auth.ini}."""

from typing import ClassVar

import attrs
from attrs.validators import ge

from harakatw.config.options import doc


@attrs.frozen(kw_only=True)
class AuthOptions:
    """When AUTH is offered, and how often a client may be wrong."""

    config_file: ClassVar[str] = "auth.ini"

    require_tls: bool = attrs.field(
        default=True,
        metadata=doc(
            "Offer AUTH on encrypted connections only? Without, whoever listens on the"
            " way may read passwords."
        ),
    )
    max_failures: int = attrs.field(
        default=5,
        validator=ge(0),
        metadata=doc(
            "After how many failed attempts a client is disconnected; 0 for never.",
            unit="attempts",
        ),
    )
    max_delay: float = attrs.field(
        default=16,
        validator=ge(0),
        metadata=doc(
            "A failed attempt is answered after a second, the next after two, then"
            " four, up to this; 0 to answer at once.",
            unit="seconds",
        ),
    )
