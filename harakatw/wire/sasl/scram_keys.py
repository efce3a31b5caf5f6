"""
What a server keeps of a password for SCRAM: enough to check who knows it, not enough to
log in with.

@see: RFC 5802 section 3, RFC 7677 (SHA-256), RFC 5803 (as text)
"""

import hashlib
import hmac
import re
from typing import Final

import attrs

from harakatw.wire.sasl.text import SASLError, decode_base64, encode_base64, saslprep

SCHEME: Final = "SCRAM-SHA-256"

ITERATIONS: Final = 10_000
"""For new keys; RFC 7677 section 4 asks for 4096 at least."""

MIN_ITERATIONS: Final = 4096
MAX_ITERATIONS: Final = 1_000_000

_OCTETS: Final = hashlib.sha256().digest_size
_STORED = re.compile(
    r"SCRAM-SHA-256\$([0-9]{1,9}):([A-Za-z0-9+/=]{1,512})"
    r"\$([A-Za-z0-9+/=]{1,64}):([A-Za-z0-9+/=]{1,64})"
)


@attrs.frozen
class ScramKeys:
    """
    The keys of one user.

    @ivar salt: the user's own.
    @ivar iterations: how often the hash was run.
    @ivar stored_key: against it the client's proof is checked.
    @ivar server_key: with it we prove to know the user.
    """

    salt: bytes
    iterations: int
    stored_key: bytes = attrs.field(repr=False)
    server_key: bytes = attrs.field(repr=False)

    def __str__(self) -> str:
        """As L{parse_scram_keys} reads it."""
        salt, stored, server = map(
            encode_base64, (self.salt, self.stored_key, self.server_key)
        )
        return f"{SCHEME}${self.iterations}:{salt}${stored}:{server}"


def salted_password(password: str, salt: bytes, iterations: int) -> bytes:
    """
    The slow step; belongs into a thread.

    @raise SASLError: if the password has characters that nobody can type.
    """
    prepared = saslprep(password).encode("utf-8")
    return hashlib.pbkdf2_hmac("sha256", prepared, salt, iterations)


def hmac_sha256(key: bytes, message: bytes) -> bytes:
    """C{HMAC(key, message)}."""
    return hmac.new(key, message, hashlib.sha256).digest()


def client_key(salted: bytes) -> bytes:
    """What the client proves to have."""
    return hmac_sha256(salted, b"Client Key")


def server_key(salted: bytes) -> bytes:
    """What the server proves to have."""
    return hmac_sha256(salted, b"Server Key")


def make_scram_keys(
    password: str, salt: bytes, iterations: int = ITERATIONS
) -> ScramKeys:
    """
    Derive the keys; slow.

    @raise SASLError: if the password has characters that nobody can type.
    """
    salted = salted_password(password, salt, iterations)
    stored = hashlib.sha256(client_key(salted)).digest()
    return ScramKeys(salt, iterations, stored, server_key(salted))


def fake_scram_keys(
    secret: bytes, user: str, iterations: int = ITERATIONS
) -> ScramKeys:
    """
    Keys of a user that there is not: always the same for one name, so that they look
    like a real user's, and such that no password fits.

    @param secret: known to this server only.
    """
    name = user.encode("utf-8", "surrogatepass")
    salt, stored, server = (
        hmac_sha256(secret, kind + name)
        for kind in (b"salt\0", b"stored\0", b"server\0")
    )
    return ScramKeys(salt[:16], iterations, stored, server)


def parse_scram_keys(text: str) -> ScramKeys:
    """
    Read C{SCRAM-SHA-256$<iterations>:<salt>$<stored key>:<server key>}, keys in base64.

    @raise SASLError: if it is something else, or the iterations are too few or many.
    @see: RFC 5803 section 3
    """
    found = _STORED.fullmatch(text)
    if not found:
        raise SASLError(f"expected {SCHEME}$iterations:salt$key:key")
    iterations = int(found[1])
    if not MIN_ITERATIONS <= iterations <= MAX_ITERATIONS:
        raise SASLError(
            f"{iterations} iterations; expected {MIN_ITERATIONS} to {MAX_ITERATIONS}"
        )
    salt, stored, server = (decode_base64(each.encode()) for each in found.groups()[1:])
    if not (len(stored) == len(server) == _OCTETS):
        raise SASLError("a key is not that of SHA-256")
    return ScramKeys(salt, iterations, stored, server)


def is_password_of(keys: ScramKeys, password: str) -> bool:
    """Were the keys made from this password? Slow; belongs into a thread."""
    try:
        salted = salted_password(password, keys.salt, keys.iterations)
    except SASLError:
        return False
    stored = hashlib.sha256(client_key(salted)).digest()
    return hmac.compare_digest(stored, keys.stored_key)
