"""
What AUTH is answered.

@see: RFC 4954 sections 4 and 6
"""

from typing import Final

from harakatw.reply import Reply, reply
from harakatw.verdict import Kind, Verdict

SUCCESS: Final = reply(235, "2.7.0", "Authentication successful")
FAILED: Final = reply(535, "5.7.8", "Authentication failed")
TOO_MANY: Final = reply(421, "4.7.0", "Too many failed authentications")
LATER: Final = reply(454, "4.7.0", "Temporary authentication failure")
CANCELLED: Final = reply(501, "5.0.0", "Authentication cancelled")
MALFORMED: Final = reply(501, "5.5.2", "Malformed authentication message")
SYNTAX: Final = reply(501, "5.5.4", "Syntax: AUTH mechanism [initial-response]")
UNKNOWN: Final = reply(504, "5.5.4", "Unrecognized authentication mechanism")
NEEDS_TLS: Final = reply(
    538, "5.7.11", "Encryption required for requested authentication mechanism"
)
EHLO_FIRST: Final = reply(503, "5.5.1", "Send EHLO first")
AGAIN: Final = reply(503, "5.5.1", "Already authenticated")
IN_TRANSACTION: Final = reply(503, "5.5.1", "AUTH is not permitted in a transaction")


def said(answer: Reply) -> Verdict:
    """The verdict that gives this reply, which may well be a refusal."""
    return Verdict(Kind.OK, answer.lines, answer.code, answer.enhanced)
