"""
Passwords as a file keeps them: hashed, or, where it cannot be helped, as they are.

Hashing and checking are slow on purpose, and belong into a thread.

@see: RFC 9106 (argon2), RFC 5803 (SCRAM)
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, Protocol

import argon2
import attrs
import bcrypt
from argon2.exceptions import InvalidHashError, VerificationError

from harakatw.wire.sasl.scram_keys import (
    SCHEME,
    ScramKeys,
    is_password_of,
    make_scram_keys,
    parse_scram_keys,
)
from harakatw.wire.sasl.text import SASLError, saslprep

PLAIN_PREFIX: Final = "{PLAIN}"
"""May stand before a password that is not hashed; must, if it looks like a hash."""

MAX_BCRYPT_OCTETS: Final = 72

_CRYPT = re.compile(r"\$[A-Za-z0-9]{1,10}\$|\{[A-Za-z0-9.-]{2,20}\}")
_BCRYPT = re.compile(r"\$2[aby]\$(0[4-9]|[12][0-9]|3[01])\$[./A-Za-z0-9]{53}")
_API_KEY = re.compile(r"sha256:([0-9a-f]{64})")
_KEY_OCTETS: Final = 32


class StoredPassword(Protocol):
    """One user's password, as far as it is known."""

    @property
    def is_slow(self) -> bool:
        """Does a check take long enough to belong into a thread?"""

    def is_it(self, password: str) -> bool:
        """Is it this one, which L{saslprep} has prepared?"""


@attrs.frozen
class PlainPassword:
    """As it is."""

    text: str = attrs.field(repr=False)
    is_slow = False

    def is_it(self, password: str) -> bool:
        """See L{StoredPassword}."""
        return hmac.compare_digest(self.text.encode(), password.encode())


@attrs.frozen
class Argon2Password:
    """Hashed by argon2."""

    encoded: str = attrs.field(repr=False)
    is_slow = True

    def is_it(self, password: str) -> bool:
        """See L{StoredPassword}."""
        try:
            return argon2.PasswordHasher().verify(self.encoded, password)
        except (VerificationError, InvalidHashError):
            return False


@attrs.frozen
class BcryptPassword:
    """Hashed by bcrypt, which looks at 72 octets only."""

    encoded: str = attrs.field(repr=False)
    is_slow = True

    def is_it(self, password: str) -> bool:
        """See L{StoredPassword}."""
        octets = password.encode()[:MAX_BCRYPT_OCTETS]
        return bcrypt.checkpw(octets, self.encoded.encode("ascii"))


@attrs.frozen
class ScramPassword:
    """The keys of SCRAM-SHA-256."""

    keys: ScramKeys
    is_slow = True

    def is_it(self, password: str) -> bool:
        """See L{StoredPassword}."""
        return is_password_of(self.keys, password)


def parse_password(text: str) -> StoredPassword:
    """
    Tell by its beginning what a file holds of a password.

    @raise ValueError: if it is a hash that cannot be used; the message holds none of
        it.
    """
    if text.startswith("$argon2"):
        return _argon2(text)
    if text.startswith(("$2a$", "$2b$", "$2y$")):
        return _bcrypt(text)
    if text.startswith(f"{SCHEME}$"):
        return _scram(text)
    if text.startswith(PLAIN_PREFIX):
        text = text.removeprefix(PLAIN_PREFIX)
    elif _CRYPT.match(text):
        raise ValueError(
            "a hash of an unknown kind; expected argon2, bcrypt or SCRAM-SHA-256 (a "
            f"password that looks like this needs {PLAIN_PREFIX} in front)"
        )
    if not text:
        raise ValueError("an empty password")
    try:
        return PlainPassword(saslprep(text))
    except SASLError as error:
        raise ValueError(str(error)) from None


def _argon2(text: str) -> StoredPassword:
    try:
        argon2.extract_parameters(text)
    except InvalidHashError:
        raise ValueError("no valid hash of argon2") from None
    return Argon2Password(text)


def _bcrypt(text: str) -> StoredPassword:
    # Not left to the library: it takes a while to look, and some releases of it panic.
    if not _BCRYPT.fullmatch(text):
        raise ValueError("no valid hash of bcrypt")
    return BcryptPassword(text)


def _scram(text: str) -> StoredPassword:
    try:
        return ScramPassword(parse_scram_keys(text))
    except SASLError as error:
        raise ValueError(str(error)) from None


# ---- making hashes -------------------------------------------------------------------


def _hash_argon2(password: str) -> str:
    # Much less memory than the library's own choice, since many clients log in at once;
    # it is what OWASP's cheat sheet on password storage asks for at least.
    return argon2.PasswordHasher(2, 19 * 1024, 1).hash(password)


def _hash_bcrypt(password: str) -> str:
    octets = password.encode()
    if len(octets) > MAX_BCRYPT_OCTETS:
        raise ValueError(f"bcrypt looks at {MAX_BCRYPT_OCTETS} octets only: use argon2")
    return bcrypt.hashpw(octets, bcrypt.gensalt()).decode("ascii")


def _hash_scram(password: str) -> str:
    return str(make_scram_keys(password, secrets.token_bytes(16)))


SCHEMES: Final[Mapping[str, Callable[[str], str]]] = MappingProxyType(
    {"argon2": _hash_argon2, "bcrypt": _hash_bcrypt, "scram-sha-256": _hash_scram}
)
"""How a password may be hashed, the best first."""


def hash_password(password: str, scheme: str) -> str:
    """
    Hash a password as a file is to keep it.

    @param scheme: one of L{SCHEMES}.
    @raise ValueError: if it is empty, cannot be typed, or is too long for the scheme.
    """
    if not password:
        raise ValueError("an empty password")
    try:
        prepared = saslprep(password)
    except SASLError as error:
        raise ValueError(str(error)) from None
    return SCHEMES[scheme](prepared)


# ---- API keys ------------------------------------------------------------------------


def make_api_key() -> str:
    """A new key: random, so that a quick hash is safe."""
    return secrets.token_urlsafe(_KEY_OCTETS)


def hash_api_key(key: str) -> str:
    """How a file keeps a key."""
    return f"sha256:{hashlib.sha256(key.encode()).hexdigest()}"


def is_api_key(key: str, stored: str) -> bool:
    """Is it this one? Takes the same time either way."""
    return hmac.compare_digest(hash_api_key(key), stored)


def check_api_key(stored: str) -> None:
    """
    Look at what a file keeps of a key.

    @raise ValueError: if it is no hash of one.
    """
    if not _API_KEY.fullmatch(stored):
        raise ValueError("expected sha256: and 64 hexadecimal digits")
