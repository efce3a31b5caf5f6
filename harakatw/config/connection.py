"""
The options of one SMTP session: C{connection.ini}.

Names and defaults are Haraka's unless a comment says otherwise.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar, Literal

import attrs
from attrs.validators import and_, ge, le

from harakatw.config.networks import Networks, check_networks, parse_networks
from harakatw.config.options import doc, value_file

MEBIOCTET = 1024 * 1024


@attrs.frozen(kw_only=True)
class ConnectionOptions:
    """What a client may do, how much of it, and what it is told."""

    config_file: ClassVar[str] = "connection.ini"
    unsupported: ClassVar[Mapping[str, str]] = MappingProxyType({})

    spool_dir: str = attrs.field(
        default="/tmp",
        metadata=doc("Where a big message is kept while it arrives."),
    )
    spool_after: int = attrs.field(
        default=4 * MEBIOCTET,  # Haraka: 25 MiB; memory grows with every session
        validator=ge(-1),
        metadata=doc(
            "From what size on a message is kept in a file; 0 is always, -1 never.",
            unit="octets",
        ),
    )
    strict_rfc1869: bool = attrs.field(
        default=False,
        metadata=doc(
            "Refuse MAIL and RCPT with stray blanks or without angle brackets?"
        ),
    )
    postel: bool = attrs.field(
        default=False,
        metadata=doc("Take addresses that the grammar of RFC 5321 does not allow?"),
    )
    smtputf8: bool = attrs.field(
        default=True, metadata=doc("Offer SMTPUTF8 (RFC 6531)?")
    )
    bare_newline: Literal["refuse", "normalise"] = attrs.field(
        default="refuse",  # ours; RFC 5321 section 2.3.8
        metadata=doc(
            "What to do with a message that has a CR or LF alone: refuse it, or make "
            "each a CRLF. Neither ends a message."
        ),
    )

    add_received: bool = attrs.field(
        default=True,
        metadata=doc(
            "Add a Received header? RFC 5321 section 4.4 wants one.", section="headers"
        ),
    )
    clean_auth_results: bool = attrs.field(
        default=True,
        metadata=doc(
            "Rename Authentication-Results headers that a message comes with, so that "
            "nobody takes them for ours (RFC 8601 section 5)?",
            section="headers",
        ),
    )
    show_version: bool = attrs.field(
        default=True,
        metadata=doc("Name product and version to clients?", section="headers"),
    )
    mime_piece_octets: int = attrs.field(
        default=65536,
        validator=and_(ge(1024), le(MEBIOCTET)),
        metadata=value_file(
            "mailparser.bufsize",
            "How much of an attachment a plugin is given at once.",
            unit="octets",
        ),
    )
    max_mime_depth: int = attrs.field(
        default=100,
        validator=and_(ge(1), le(1000)),
        metadata=value_file(
            "mailparser.max_mime_depth",
            "How deep the MIME structure of a message is looked into.",
            unit="containers within each other",
        ),
    )
    max_mime_collected: int = attrs.field(
        default=64 * MEBIOCTET,
        validator=ge(65536),
        metadata=value_file(
            "mailparser.attachment_max_buffered",
            "The largest part that is held in memory to be changed by a plugin.",
            unit="octets",
        ),
    )
    max_header_lines: int = attrs.field(
        default=1000,
        validator=ge(1),
        metadata=doc(
            "Header fields that are indexed; those beyond are passed on as they are.",
            unit="fields",
            section="headers",
            key="max_lines",
        ),
    )
    max_received: int = attrs.field(
        default=100,  # RFC 5321 section 6.3: at least 100
        validator=ge(1),
        metadata=doc(
            "Received headers a message may have before it counts as looping.",
            unit="headers",
            section="headers",
        ),
    )

    max_bytes: int = attrs.field(
        default=25 * MEBIOCTET,
        validator=ge(0),
        metadata=doc(
            "The largest message taken, each line end being two octets; 0 is no limit.",
            unit="octets",
            section="max",
            key="bytes",
        ),
    )
    max_line_length: int = attrs.field(
        # Haraka: 512 as in RFC 5321 section 4.5.3.1.4. The parameters of AUTH, DSN and
        # SMTPUTF8 add up to more (RFC 4954 section 4: 12288 for AUTH alone).
        default=2048,
        validator=and_(ge(512), le(65536)),
        metadata=doc(
            "The longest command, with its line end.",
            unit="octets",
            section="max",
            key="line_length",
        ),
    )
    max_data_line_length: int = attrs.field(
        default=998,  # RFC 5321 section 4.5.3.1.6 less CRLF; Haraka: 992
        validator=ge(78),
        metadata=doc(
            "The longest line of a message, without its line end.",
            unit="octets",
            section="max",
            key="data_line_length",
        ),
    )
    max_mime_parts: int = attrs.field(
        default=1000,
        validator=ge(1),
        metadata=doc(
            "Parts that a message may have, if plugins look at them.",
            unit="parts",
            section="max",
            key="mime_parts",
        ),
    )
    max_body_text: int = attrs.field(
        default=4 * MEBIOCTET,  # ours
        validator=ge(65536),
        metadata=doc(
            "How much of a message's text plugins can look at.",
            unit="octets",
            section="max",
            key="body_text",
        ),
    )
    max_recipients: int = attrs.field(
        default=1000,
        validator=ge(100),  # RFC 5321 section 4.5.3.1.8
        metadata=doc(
            "Recipients one message may have; the rest is asked to come in another.",
            unit="recipients",
            section="max",
            key="recipients",
        ),
    )
    max_errors: int = attrs.field(
        default=100,
        validator=ge(1),
        metadata=doc(
            "Commands with an error before the session ends with 421.",
            unit="errors",
            section="max",
            key="errors",
        ),
    )
    max_messages: int = attrs.field(
        default=0,
        validator=ge(0),
        metadata=doc(
            "Messages taken in one session; 0 is no limit.",
            unit="messages",
            section="max",
            key="messages",
        ),
    )
    max_connections: int = attrs.field(
        default=20000,
        validator=ge(1),
        metadata=doc(
            "Sessions open at a time in one process.",
            unit="connections",
            section="max",
            key="connections",
        ),
    )
    max_connections_per_ip: int = attrs.field(
        default=0,
        validator=ge(0),
        metadata=doc(
            "Sessions open at a time from one address; 0 is no limit.",
            unit="connections",
            section="max",
            key="connections_per_ip",
        ),
    )
    max_transaction_seconds: float = attrs.field(
        default=3600,
        validator=ge(60),
        metadata=doc(
            "How long one message may take, from MAIL to its end.",
            unit="seconds",
            section="max",
            key="transaction_seconds",
        ),
    )
    min_data_rate: int = attrs.field(
        default=64,
        validator=ge(0),
        metadata=doc(
            "The slowest that a message may come, on average, after its first five "
            "minutes; 0 is as slow as it likes.",
            unit="octets per second",
            section="max",
            key="data_rate",
        ),
    )

    haproxy_enabled: bool = attrs.field(
        default=True,
        metadata=doc(
            "Believe the PROXY headers of hosts?", section="haproxy", key="enabled"
        ),
    )
    haproxy_hosts: tuple[str, ...] = attrs.field(
        default=(),
        validator=check_networks,
        metadata=doc(
            "Addresses and networks of proxies, written as hosts[] = 192.0.2.1. Each "
            "connection of theirs has to begin with a PROXY header.",
            section="haproxy",
            key="hosts",
        ),
    )

    greeting: tuple[str, ...] = attrs.field(
        default=(),
        metadata=doc(
            "Lines of the greeting, written as greeting[] = text; without them, one "
            "with name and version.",
            section="message",
            split=False,
        ),
    )
    helo: str = attrs.field(
        default="at your service",
        metadata=doc("What the answer to HELO and EHLO ends with.", section="message"),
    )
    close: str = attrs.field(
        default="closing connection, until next time",
        metadata=doc("The answer to QUIT.", section="message"),
    )

    banner_chars: int = attrs.field(
        default=6,
        validator=and_(ge(0), le(40)),
        metadata=doc(
            "How much of the session's id the greeting shows.",
            unit="characters",
            section="uuid",
        ),
    )
    deny_chars: int = attrs.field(
        default=0,
        validator=and_(ge(0), le(40)),
        metadata=doc(
            "How much of the session's id a refusal begins with.",
            unit="characters",
            section="uuid",
        ),
    )

    @property
    def proxies(self) -> Networks:
        """Hosts whose PROXY headers are believed."""
        return parse_networks(self.haproxy_hosts if self.haproxy_enabled else ())
