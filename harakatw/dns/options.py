"""How the DNS is asked (Haraka row CF84)."""

from typing import ClassVar

import attrs
from attrs.validators import ge, le

from harakatw.config.options import doc


@attrs.frozen(kw_only=True)
class DNSOptions:
    """Time limits of DNS look-ups."""

    config_file: ClassVar[str] = "net-utils.ini"

    timeout: float = attrs.field(
        default=5000,  # Haraka: 25000, longer than many a client waits for the greeting
        validator=ge(100),
        metadata=doc(
            "How long all tries of a look-up may take.",
            unit="milliseconds",
            section="dns",
        ),
    )
    tries: int = attrs.field(
        default=2,
        validator=[ge(1), le(10)],
        metadata=doc("How often a server is asked.", unit="tries", section="dns"),
    )
