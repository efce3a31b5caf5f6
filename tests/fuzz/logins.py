"""What clients say of themselves: C{harakatw.wire.sasl}."""

import json
from typing import Final

from harakatw.wire.sasl.bearer import bearer_error, parse_oauthbearer, parse_xoauth2
from harakatw.wire.sasl.cram import cram_digest, is_cram_digest, parse_cram
from harakatw.wire.sasl.plain import parse_plain
from harakatw.wire.sasl.scram import ScramServer
from harakatw.wire.sasl.scram_keys import fake_scram_keys, parse_scram_keys
from harakatw.wire.sasl.text import SASLError, decode_base64, encode_base64, saslprep
from tests.fuzz.target import Target, octets, text
from tests.properties import st


def check_login_messages(message: bytes) -> None:
    """Survey row 8: a message is read or refused, and nothing shows what is secret."""
    for parse in (parse_plain, parse_xoauth2, parse_oauthbearer):
        try:
            found = parse(message)
        except SASLError as error:
            assert "sesame" not in str(error)
        else:
            names = found.user + getattr(found, "authzid", "")
            assert "sesame" not in repr(found) or "sesame" in names
    try:
        user, digest = parse_cram(message)
    except SASLError:
        return
    assert message.startswith(user.encode()) and len(digest) == 32
    assert not is_cram_digest(digest, "sesame", b"<1@a>")
    assert is_cram_digest(cram_digest("sesame", b"<1@a>"), "sesame", b"<1@a>")


def check_scram_server(first: bytes, final: bytes, plus: bool) -> None:
    """Nobody gets in who has no password, whatever is said in whatever order."""
    exchange = ScramServer("ours", plus=plus, plus_offered=plus)
    keys = fake_scram_keys(b"secret", "user")
    try:
        exchange.begin(first)
        challenge = exchange.challenge(keys)
        assert challenge.isascii() and b"ours," in challenge
        said = final.replace(b"NONCE", challenge[2:].partition(b",")[0])
        assert exchange.finish(said, keys, b"channel") is None
    except SASLError:
        return


def check_login_text(written: str, content: bytes) -> None:
    """Names have one form, and base64 is taken as it is written, and no other way."""
    assert decode_base64(encode_base64(content).encode()) == content
    try:
        assert len(encode_base64(decode_base64(content))) == len(content)
    except SASLError:
        pass
    try:
        name = saslprep(written)
    except SASLError:
        return
    assert saslprep(name) == name
    assert "\0" not in name and "\n" not in name


def check_scram_keys(written: str) -> None:
    """What is kept of a password is read whole, or not at all."""
    try:
        keys = parse_scram_keys(written)
    except SASLError:
        return
    assert 4096 <= keys.iterations <= 1_000_000
    assert len(keys.stored_key) == len(keys.server_key) == 32


def check_bearer_error(status: str, scope: str) -> None:
    """The reason is one line of ASCII, whatever the issuer called it."""
    said = bearer_error(status, scope)
    assert b"\n" not in said and said.isascii()
    assert isinstance(json.loads(said), dict)


_MESSAGES = octets(
    *(
        b"\0",
        b"user",
        b"sesame",
        b"\x01",
        b"auth=Bearer sesame",
        b"user=u",
        b"n,,",
        b",",
    ),
    *(
        b"n,a=u,",
        b"\x01\x01",
        b" ",
        b"0" * 32,
        b"p=tls-exporter,,",
        b"\xff",
        b"=2C",
        b"=",
    ),
)
_FIRST = octets(
    *(b"n,,", b"y,,", b"p=tls-exporter,,", b"n=user,", b"r=abc", b"m=x,", b"n=a=2Cb,"),
    *(
        b"n,,n=user,r=abc",
        b"p=tls-unique,,n=user,r=abc",
        b",",
        b"=",
        b"\xc3\xbc",
        b"\0",
    ),
    most=5,
)
_FINAL = octets(
    *(b"c=biws,", b"c=eSws,", b"r=NONCE", b",p=", b"A" * 43 + b"=", b"p=", b"x", b","),
    *(b"c=biws,r=NONCE,p=", b"\xff", b"=", b"r=NONCE,"),
    most=6,
)
_KEYS = text(
    *("SCRAM-SHA-256$", "4096", "999999", ":", "$", "c2FsdA==", "A" * 43 + "=", "="),
    most=10,
)

TARGETS: Final = (
    Target(
        ("wire.sasl.plain", "wire.sasl.bearer", "wire.sasl.cram"),
        st.tuples(_MESSAGES),
        check_login_messages,
    ),
    Target(
        ("wire.sasl.scram",),
        st.tuples(_FIRST, _FINAL, st.booleans()),
        check_scram_server,
    ),
    Target(
        ("wire.sasl.text",),
        st.tuples(
            text("a", "\xad", "\u00a0", "\u0627", "1", "\u2163", "\x07", "\u212b", "İ"),
            octets(b"QUJD", b"=", b"==", b"\n", b" ", b"-", b"QQ==", most=4),
        ),
        check_login_text,
    ),
    Target(("wire.sasl.scram_keys",), st.tuples(_KEYS), check_scram_keys),
    Target(("wire.sasl.bearer",), st.tuples(text("a"), text('"')), check_bearer_error),
)
