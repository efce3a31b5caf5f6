"""
The structure of a message, for people to read.

@see: Haraka row CI18
"""

from harakatw.message.mime.body import Body
from harakatw.message.mime.limits import MIMELimits
from harakatw.message.mime.part import Kind
from harakatw.message.mime.reader import Reader
from harakatw.observe.writer import safe_text


def mime_tree(message: bytes, limits: MIMELimits) -> list[str]:
    """
    A line for each part, indented by its depth.

    @param message: header and body.
    """
    reader = Reader(limits)
    reader.walker.feed(message)
    reader.walker.finish()
    assert reader.body is not None  # a walk begins with the message
    lines = []
    waiting = [(0, reader.body)]
    while waiting:
        depth, body = waiting.pop()
        lines.append("  " * depth + _line(body))
        waiting += ((depth + 1, child) for child in reversed(body.children))
    if reader.has_too_many_parts:
        lines.append("... and more than [max] mime_parts allows")
    return lines


def _line(body: Body) -> str:
    part, words = body.part, [body.content_type]
    if body.filename:
        words.append(f'"{safe_text(body.filename)}"')
    if body.is_attachment:
        words.append("attachment")
    if part.charset:
        words.append(safe_text(part.charset))
    if part.kind is Kind.LEAF:
        words.append(f"{safe_text(part.encoding)} {body.size} octets")
    elif part.boundary and not part.is_closed:
        words.append("not closed")
    if part.is_too_deep:
        words.append("too deep to be looked into")
    return " ".join(words)
