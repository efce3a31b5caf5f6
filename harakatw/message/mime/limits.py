"""How much structure a message may have before the rest of it is not looked at."""

from typing import Final

import attrs

from harakatw.config.connection import ConnectionOptions

MAX_BOUNDARY_OCTETS: Final = 250
"""RFC 2046 section 5.1.1 allows 70; mail with more is seen."""

MAX_DELIMITER_OCTETS: Final = 1000
"""Of a line with a boundary and blanks behind it: RFC 5322 section 2.1.1."""


@attrs.frozen(kw_only=True)
class MIMELimits:
    """
    What one message may make us keep or do (survey rows 13 and 14).

    @ivar max_depth: containers within each other; what a deeper one holds is content.
    @ivar max_parts: parts, the message itself counted; the rest is passed over.
    @ivar max_header_octets: of one part; the rest is content.
    @ivar max_all_header_octets: of all parts but the first; then as for C{max_parts}.
    @ivar max_header_fields: of one part that are indexed.
    @ivar max_top_header_octets: of the message.
    @ivar max_text_octets: text of all parts that is kept to be looked at.
    @ivar max_collected_octets: of one part that is held in memory for a body filter,
        or for a plugin that does not take it yet.
    @ivar stream_octets: the most that a plugin is given of an attachment at once.
    """

    max_depth: int = 100
    max_parts: int = 1000
    max_header_octets: int = 1 << 16
    max_all_header_octets: int = 1 << 22
    max_header_fields: int = 1000
    max_top_header_octets: int = 1 << 20
    max_text_octets: int = 1 << 22
    max_collected_octets: int = 1 << 26
    stream_octets: int = 1 << 16


def limits_of(options: ConnectionOptions) -> MIMELimits:
    """What C{connection.ini} and the C{mailparser} files allow."""
    return MIMELimits(
        max_depth=options.max_mime_depth,
        max_parts=options.max_mime_parts,
        max_header_fields=options.max_header_lines,
        max_text_octets=options.max_body_text,
        max_collected_octets=options.max_mime_collected,
        stream_octets=options.mime_piece_octets,
    )
