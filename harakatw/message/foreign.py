"""
Authentication-Results that a message comes with: not ours, whatever they say.

@see: RFC 8601 section 5, Haraka row VB22, survey row 34
"""

from typing import Final

from harakatw.message.store import Message

FIELD: Final = "Authentication-Results"
DISOWNED: Final = b"Original-"


def disown_results(message: Message) -> None:
    """
    Put C{Original-} before the name of each such field, whoever it names.

    @param message: whole.
    """
    if b"authentication-results" not in message.raw_header.lower():
        return  # nearly always, and cheaper than to index the header
    header = message.header
    forged = header.fields(FIELD)
    header.remove(FIELD)
    for field in reversed(forged):
        header.add_raw_leading(DISOWNED + field.lstrip())
