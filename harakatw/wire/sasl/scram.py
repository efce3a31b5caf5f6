"""
SCRAM-SHA-256 and SCRAM-SHA-256-PLUS, the server's side: both prove to know the password
and neither shows it; PLUS also proves that nobody stands between.

@see: RFC 5802, RFC 7677, RFC 5929 (tls-server-end-point), RFC 9266 (tls-exporter)
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import Final

from harakatw.wire.sasl.scram_keys import ScramKeys, hmac_sha256
from harakatw.wire.sasl.text import (
    SASLError,
    decode_base64,
    decode_text,
    encode_base64,
)

_NONCE = re.compile(r"[!-+\--~]+")  # RFC 5802 section 7: printable, no comma
_NAME_ESCAPE = re.compile(r"=2C|=3D")
_ATTRIBUTE = re.compile(r"[A-Za-z]=[^,\0]*")
_BINDING = re.compile(r"p=([A-Za-z0-9.-]+)")


def split_gs2_header(message: str) -> tuple[str, str, str]:
    """
    Part the first message of a client.

    @return: the binding flag, such as C{n} or C{p=tls-exporter}; who the client wants
        to act as, C{""} for itself; and the rest.
    @raise SASLError: if there is no such header.
    @see: RFC 5801 section 4
    """
    flag, comma, rest = message.partition(",")
    authzid, comma_too, bare = rest.partition(",")
    if not (comma and comma_too) or (authzid and not authzid.startswith("a=")):
        raise SASLError("the message has no header")
    if flag not in ("n", "y") and not _BINDING.fullmatch(flag):
        raise SASLError("the message says nothing of channel binding")
    return flag, decode_name(authzid[2:]), bare


def decode_name(text: str) -> str:
    """
    Read a name in which comma and equals sign are written C{=2C} and C{=3D}.

    @raise SASLError: if an equals sign stands for itself.
    """
    if "=" in _NAME_ESCAPE.sub("", text):
        raise SASLError("the user is not encoded as it should")
    return text.replace("=2C", ",").replace("=3D", "=")


def read_attributes(text: str) -> Mapping[str, str]:
    """
    Read C{a=1,b=2}.

    @raise SASLError: if it is something else, or has a letter twice.
    """
    found: dict[str, str] = {}
    for part in text.split(","):
        if not _ATTRIBUTE.fullmatch(part) or part[0] in found:
            raise SASLError("the message is malformed")
        found[part[0]] = part[2:]
    return found


class ScramServer:
    """
    One exchange: L{begin}, L{challenge}, L{finish}.

    @ivar user: who the client says to be.
    @ivar authzid: who it wants to act as, C{""} for C{user}.
    @ivar binding: the kind of channel binding that it uses, C{""} for none.
    """

    def __init__(self, nonce: str, *, plus: bool, plus_offered: bool) -> None:
        """
        @param nonce: our part: random, printable, without a comma.
        @param plus: was the mechanism with channel binding chosen?
        @param plus_offered: could it have been?
        """
        self._own_nonce = nonce
        self._plus = plus
        self._plus_offered = plus_offered
        self.user = ""
        self.authzid = ""
        self.binding = ""
        self._header = b""
        self._first = ""
        self._nonce = ""
        self._challenge = ""

    def begin(self, message: bytes) -> None:
        """
        Take the client's first message.

        @raise SASLError: if it is malformed, or somebody took the PLUS away from what
            we offered (RFC 5802 section 6).
        """
        text = decode_text(message)
        flag, self.authzid, self._first = split_gs2_header(text)
        self._header = text[: len(text) - len(self._first)].encode("utf-8")
        self._check_flag(flag)
        if self._first.startswith("m="):
            raise SASLError("the client wants an extension that we do not know")
        attributes = read_attributes(self._first)
        if list(attributes)[:2] != ["n", "r"] or not _NONCE.fullmatch(attributes["r"]):
            raise SASLError("the message is not user and nonce")
        self.user = decode_name(attributes["n"])
        self._nonce = attributes["r"] + self._own_nonce

    def _check_flag(self, flag: str) -> None:
        if flag.startswith("p="):
            if not self._plus:
                raise SASLError("channel binding needs the mechanism with PLUS")
            self.binding = flag[2:]
        elif self._plus:
            raise SASLError("the mechanism with PLUS needs channel binding")
        elif flag == "y" and self._plus_offered:
            raise SASLError("channel binding was offered, and somebody took it away")

    def challenge(self, keys: ScramKeys) -> bytes:
        """
        What to say to the client.

        @param keys: the user's, or made-up ones if there is no such user.
        """
        salt = encode_base64(keys.salt)
        self._challenge = f"r={self._nonce},s={salt},i={keys.iterations}"
        return self._challenge.encode("ascii")

    def finish(self, message: bytes, keys: ScramKeys, bound: bytes) -> bytes | None:
        """
        Check the client's proof.

        @param keys: as for L{challenge}.
        @param bound: what identifies the channel, for a client that uses L{binding}.
        @return: our own proof, or L{None} if the client's is wrong.
        @raise SASLError: if the message is malformed.
        """
        text = decode_text(message)
        bare, found, proof = text.rpartition(",p=")
        attributes = read_attributes(bare) if found else {}
        if list(attributes)[:2] != ["c", "r"]:
            raise SASLError("the message is no binding, nonce and proof")
        expected = self._header + (bound if self.binding else b"")
        claimed = decode_base64(attributes["c"].encode("utf-8"))
        said = f"{self._first},{self._challenge},{bare}".encode()
        fits = (
            hmac.compare_digest(claimed, expected),
            hmac.compare_digest(attributes["r"].encode(), self._nonce.encode()),
            _is_proof(decode_base64(proof.encode("utf-8")), keys, said),
        )
        if not all(fits):
            return None
        signature = hmac_sha256(keys.server_key, said)
        return f"v={encode_base64(signature)}".encode("ascii")


_KEY_OCTETS: Final = 32


def _is_proof(proof: bytes, keys: ScramKeys, said: bytes) -> bool:
    """Does it show the client's key, of which we have the hash?"""
    if len(proof) != _KEY_OCTETS:
        return False
    signature = hmac_sha256(keys.stored_key, said)
    shown = bytes(a ^ b for a, b in zip(proof, signature, strict=True))
    return hmac.compare_digest(hashlib.sha256(shown).digest(), keys.stored_key)
