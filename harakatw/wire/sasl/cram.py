"""
CRAM-MD5: a digest of the server's challenge, keyed by the password.

The server needs the password as it is. Old, but it shows no password to who listens.

@see: RFC 2195
"""

import hashlib
import hmac
import re

from harakatw.wire.sasl.text import SASLError, decode_text

_DIGEST = re.compile(rb"[0-9a-f]{32}")
_NOT_OF_A_HOST = re.compile(r"[^A-Za-z0-9.:_-]")


def make_cram_challenge(host: str, nonce: str, seconds: float) -> bytes:
    """
    A challenge that nobody has seen before.

    @param host: our name.
    @param nonce: random letters and digits.
    @param seconds: since 1970.
    """
    name = _NOT_OF_A_HOST.sub("", host) or "localhost"
    return f"<{nonce}.{int(seconds)}@{name}>".encode("ascii")


def parse_cram(answer: bytes) -> tuple[str, bytes]:
    """
    Read the answer to a challenge.

    @return: the user, and the digest in hexadecimal.
    @raise SASLError: if it is not these two, parted by a blank.
    """
    user, blank, digest = answer.rpartition(b" ")
    if not blank or not _DIGEST.fullmatch(digest.lower()):
        raise SASLError("the answer is no user and digest")
    return decode_text(user), digest.lower()


def cram_digest(password: str, challenge: bytes) -> bytes:
    """The digest that who knows the password answers with, in hexadecimal."""
    key = password.encode("utf-8")
    return hmac.new(key, challenge, hashlib.md5).hexdigest().encode("ascii")


def is_cram_digest(digest: bytes, password: str, challenge: bytes) -> bool:
    """Is it the one? Takes the same time either way."""
    return hmac.compare_digest(digest, cram_digest(password, challenge))
