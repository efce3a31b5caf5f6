"""
The client's side of SASL: what is answered to which challenge.

Nothing here knows of SMTP; L{harakatw.outbound.client.opening} carries the octets.

@see: RFC 4954, RFC 4616 (PLAIN), RFC 2195 (CRAM-MD5), RFC 5802 and RFC 7677
    (SCRAM-SHA-256)
"""

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Final, Protocol

from harakatw.wire.sasl.cram import cram_digest
from harakatw.wire.sasl.scram_keys import (
    MAX_ITERATIONS,
    MIN_ITERATIONS,
    client_key,
    hmac_sha256,
    salted_password,
    server_key,
)
from harakatw.wire.sasl.text import SASLError, saslprep

PREFERENCE: Final = ("SCRAM-SHA-256", "CRAM-MD5", "PLAIN", "LOGIN")
"""The best first."""

SHOWS_PASSWORD: Final = frozenset(("PLAIN", "LOGIN"))
"""Mechanisms that send the password as it is."""

_GS2_HEADER: Final = "n,,"
_NUMBER = re.compile(r"[0-9]{1,9}", re.ASCII)
_SERVER_NONCE = re.compile(r"[!-+\--~]+")  # RFC 5802 section 7: printable, no comma


class Mechanism(Protocol):
    """
    One exchange.

    @ivar initial: what is sent with AUTH, L{None} to wait for a challenge.
    @ivar is_slow: does an answer take long enough to belong into a thread?
    """

    @property
    def initial(self) -> bytes | None:
        """See above."""

    @property
    def is_slow(self) -> bool:
        """See above."""

    def respond(self, challenge: bytes) -> bytes:
        """
        Answer a challenge.

        @raise SASLError: if it makes no sense.
        """

    def finish(self) -> None:
        """
        The server says that we are who we say.

        @raise SASLError: if it should have proved something first.
        """


class Plain:
    """PLAIN: user and password in one message."""

    is_slow = False

    def __init__(self, user: str, password: str) -> None:
        self.initial = f"\0{user}\0{password}".encode()

    def respond(self, challenge: bytes) -> bytes:
        """Nothing is left to say."""
        raise SASLError("PLAIN has no second challenge")

    def finish(self) -> None:
        """The server proves nothing."""


class Login:
    """LOGIN: user and password, each when asked. It has no specification."""

    is_slow = False
    initial = None

    def __init__(self, user: str, password: str) -> None:
        self._answers = [user.encode(), password.encode()]

    def respond(self, challenge: bytes) -> bytes:
        """The user, then the password, whatever the prompt says."""
        if not self._answers:
            raise SASLError("LOGIN has no third challenge")
        return self._answers.pop(0)

    def finish(self) -> None:
        """
        The server should have asked for both.

        @raise SASLError: if it took somebody in who said nothing.
        """
        if self._answers:
            raise SASLError("LOGIN ended before the password was asked for")


class CramMD5:
    """CRAM-MD5: a digest of the server's challenge."""

    is_slow = False
    initial = None

    def __init__(self, user: str, password: str) -> None:
        self._user, self._password = user, password
        self._is_answered = False

    def respond(self, challenge: bytes) -> bytes:
        """
        The digest.

        @raise SASLError: if it was given already.
        """
        if self._is_answered:
            raise SASLError("CRAM-MD5 has one challenge")
        self._is_answered = True
        return self._user.encode() + b" " + cram_digest(self._password, challenge)

    def finish(self) -> None:
        """
        The server should have sent a challenge.

        @raise SASLError: if it did not.
        """
        if not self._is_answered:
            raise SASLError("CRAM-MD5 ended without a challenge")


class ScramSHA256:
    """SCRAM-SHA-256: either side proves to know the password, and neither shows it."""

    is_slow = True

    def __init__(self, user: str, password: str, nonce: str) -> None:
        """
        @param nonce: random text without a comma.
        @raise SASLError: if user or password have characters that nobody can type.
        """
        name = saslprep(user).replace("=", "=3D").replace(",", "=2C")
        self._password = saslprep(password)
        self._nonce = nonce
        self._first = f"n={name},r={nonce}"
        self._signature = b""
        self._is_proved = False
        self.initial = f"{_GS2_HEADER}{self._first}".encode()

    def respond(self, challenge: bytes) -> bytes:
        """
        The proof, and then nothing to the server's own proof.

        @raise SASLError: if the challenge is malformed, weak, or the proof is wrong.
        """
        text = challenge.decode("ascii", "replace")
        if not self._signature:
            return self._prove(text)
        self._check(text)
        return b""

    def finish(self) -> None:
        """
        The server must have proved that it knows the password too.

        @raise SASLError: if it has not.
        """
        if not self._is_proved:
            raise SASLError("the server did not prove to know the password")

    def _prove(self, challenge: str) -> bytes:
        nonce, salt, iterations = _read_server_first(challenge)
        if not nonce.startswith(self._nonce) or nonce == self._nonce:
            raise SASLError("the server's nonce does not begin with ours")
        binding = base64.b64encode(_GS2_HEADER.encode()).decode()
        bare = f"c={binding},r={nonce}"
        message = f"{self._first},{challenge},{bare}".encode()
        salted = salted_password(self._password, salt, iterations)
        key = client_key(salted)
        signature = hmac_sha256(hashlib.sha256(key).digest(), message)
        proof = bytes(a ^ b for a, b in zip(key, signature, strict=True))
        self._signature = hmac_sha256(server_key(salted), message)
        return f"{bare},p={base64.b64encode(proof).decode()}".encode()

    def _check(self, challenge: str) -> None:
        attributes = _attributes(challenge)
        if "e" in attributes:
            raise SASLError(f"the server says {attributes['e'][:40]!r}")
        proof = _decode(attributes.get("v", ""))
        if not hmac.compare_digest(proof, self._signature):
            raise SASLError("the server's proof is wrong: it is not who it says")
        self._is_proved = True


def _attributes(text: str) -> Mapping[str, str]:
    parts = (part.partition("=") for part in text.split(","))
    return {name: value for name, equals, value in parts if equals}


def _read_server_first(text: str) -> tuple[str, bytes, int]:
    """
    The nonce, the salt and the number of iterations.

    @see: RFC 5802 section 7
    """
    attributes = _attributes(text)
    if "m" in attributes:
        raise SASLError("the server wants an extension that we do not know")
    nonce, count = attributes.get("r", ""), attributes.get("i", "")
    salt = _decode(attributes.get("s", ""))
    if not (_SERVER_NONCE.fullmatch(nonce) and _NUMBER.fullmatch(count) and salt):
        raise SASLError("the server's challenge is malformed")
    iterations = int(count)
    if not MIN_ITERATIONS <= iterations <= MAX_ITERATIONS:
        raise SASLError(f"the server wants {iterations} iterations")
    return nonce, salt, iterations


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise SASLError("the server sends what is not base64") from None


# ---- choosing ------------------------------------------------------------------------


def choose(offered: Iterable[str], wanted: str, may_show_password: bool) -> str:
    """
    Which mechanism to use.

    @param offered: by the server, in upper case.
    @param wanted: the only one to be used, or C{""}.
    @param may_show_password: is nobody listening, or does nobody mind?
    @raise SASLError: if there is none; nothing must be sent then.
    """
    offered = frozenset(offered)
    possible = PREFERENCE if not wanted else (wanted.upper(),)
    for name in possible:
        if name not in PREFERENCE:
            raise SASLError(f"{name} is no mechanism that we know")
        if name in offered and (may_show_password or name not in SHOWS_PASSWORD):
            return name
    if any(name in offered for name in possible):
        raise SASLError("the server takes only a readable password, without TLS")
    raise SASLError(f"the server does not offer {' or '.join(possible)}")


_MECHANISMS: Final[Mapping[str, Callable[[str, str], Mechanism]]] = MappingProxyType(
    {"PLAIN": Plain, "LOGIN": Login, "CRAM-MD5": CramMD5}
)


def start(
    name: str,
    user: str,
    password: str,
    make_nonce: Callable[[], str] = secrets.token_urlsafe,
) -> Mechanism:
    """
    Begin an exchange.

    @param name: as L{choose} gave it.
    """
    if name == "SCRAM-SHA-256":
        return ScramSHA256(user, password, make_nonce())
    return _MECHANISMS[name](user, password)
