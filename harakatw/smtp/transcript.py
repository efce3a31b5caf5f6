"""
How a command is shown in the log: without anything that may be a secret.

@see: RFC 4954 section 4, survey row 8 (what follows AUTH is a password, or as good)
"""

from typing import Final

from harakatw.smtp.commands import COMMANDS

_AUTH: Final = b"AUTH"
_LONGEST_VERB: Final = len("STARTTLS")


def shown_line(line: bytes, *, after_auth: bool = False) -> str:
    """
    A command for the log, printable.

    Of C{AUTH} only the mechanism is shown. A lone word that is longer than any verb is
    not shown either, nor one that is no verb of ours in a session with C{AUTH}: it may
    be the password of a client that was not asked for it, or not any more.

    @param after_auth: did the client say C{AUTH} before?
    """
    verb, _, argument = line.partition(b" ")
    upper = verb.upper()
    if upper == _AUTH:
        mechanism, blank, _ = argument.strip().partition(b" ")
        return _printable(verb + b" " + mechanism) + (" ..." if blank else "")
    suspect = after_auth or len(verb) > _LONGEST_VERB
    if suspect and not argument and upper not in COMMANDS:
        return f"({len(verb)} octets)"
    return _printable(line)


def _printable(line: bytes) -> str:
    text = line.decode("utf-8", "backslashreplace")
    return text if text.isprintable() else repr(text)
