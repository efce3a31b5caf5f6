"""What stands in messages and envelopes: addresses, headers, line ends."""

from typing import Final

from harakatw.address import Address, parse_address
from harakatw.address_grammar import (
    GrammarError,
    canonical_host,
    check_user,
    literal_ip,
    quoted_local,
    split_mailbox,
)
from harakatw.message.charset import decode_octets
from harakatw.message.encoded_words import clean, decode_words, encode_text
from harakatw.message.field import is_field_name, make_field
from harakatw.message.foreign import disown_results
from harakatw.message.header import Header
from harakatw.message.parameters import decode_parameters, parse_parameters
from harakatw.message.received import ReceivedTemplate, from_clause
from harakatw.message.section import Section, find_section
from harakatw.message.seven_bit.convert import to_seven_bit
from harakatw.message.seven_bit.errors import UnconvertibleError
from harakatw.message.store import Message, StoreSettings
from harakatw.message.writer import converted_chunks, crlf_chunks, stuffed_chunks
from harakatw.outbound.dsn.original import read_original
from harakatw.testing.threads import NoThreads
from harakatw.wire.data import DataDecoder, has_bare_newline, repair_newlines
from tests.fuzz.target import Target, cut, cuts, octets, refusal, text
from tests.properties import st

# ---- addresses -----------------------------------------------------------------------


def check_address(written: str, utf8: bool, postel: bool) -> None:
    """An address that is taken is the same when it is written and read again."""

    def parse() -> Address:
        return parse_address(written, utf8=utf8, postel=postel, null=True)

    if refusal((501, 550), parse):
        return
    address = parse()
    assert utf8 or written.isascii()
    again = parse_address(address.format(), utf8=True, null=True)
    assert (again.user, again.host) == (address.user, address.host)
    assert address.format().isprintable()


def check_address_grammar(written: str) -> None:
    """A host has one spelling, a local part one too."""
    try:
        host = canonical_host(written)
    except GrammarError:
        pass
    else:
        assert canonical_host(host) == host and host.isascii() and host == host.lower()
        assert (literal_ip(host) is None) or host.startswith("[")
    try:
        check_user(written)
    except GrammarError:
        return
    assert split_mailbox(f"{quoted_local(written)}@b", False) == (written, "b")


# ---- header --------------------------------------------------------------------------


def check_header(raw: bytes, name: str, value: str) -> None:
    """Nothing is lost, whatever is read; what is added is found, and goes again."""
    header = Header(raw, max_fields=5)
    names = header.names()
    for each in (*names, name):
        assert "\n" not in "".join(header.get_all(each))
        assert len(header.get_decoded(each)) <= 8 * len(raw) + 8
        assert len(header.fields(each)) >= names.count(each)
    assert bytes(header).startswith(raw)
    assert b"".join(header.lines()) == bytes(header)
    before = bytes(header)
    try:
        header.add(name, value)
    except ValueError:
        assert bytes(header) == before
        return
    assert header.get_all(name)[0] is not None
    assert bytes(header).endswith(before)
    header.remove(name)
    assert header.fields(name) == []


def check_field(name: str, value: str) -> None:
    """A field that is made is one field of short lines, and says what it was given."""
    try:
        field = make_field(name, value)
    except ValueError:
        return
    assert is_field_name(name) and field.isascii() and field.endswith(b"\r\n")
    first, *others = field[:-2].split(b"\r\n")
    assert first.startswith(name.encode("ascii") + b":")
    assert all(line[:1] in (b" ", b"\t") for line in others)
    assert max(map(len, (first, *others))) <= 998
    assert not has_bare_newline(field)
    said = Header(field).get_decoded(name)
    if "=?" not in value and "*" not in value:  # else it may mean something by itself
        assert "".join(said.split()) == "".join(value.split())


def check_parameters(value: str) -> None:
    """Parameters never fail, and hold no line end that was not there."""
    main, found = parse_parameters(value)
    assert main == main.lower() and len(found) <= value.count(";")
    for name, each in found.items():
        assert name == name.lower()
        assert "\0" not in each and "\n" not in each and "\r" not in each
    assert len(decode_parameters(value)) <= 4 * len(value) + 8 * value.count(";") + 8


def check_encoded_words(value: str) -> None:
    """Decoding never fails and adds no control character; encoding comes back."""
    decoded = decode_words(value)
    assert len(decoded) <= 4 * len(value)
    assert len(decoded) - len(clean(decoded)) == 0
    added = [c for c in "\0\r\n\x1b" if decoded.count(c) > value.count(c)]
    assert added == []
    plain = clean(value).replace("=?", "").replace("\t", " ")
    if plain.isprintable():
        words = encode_text(plain)
        assert words.isascii()
        assert decode_words(words).split() == plain.split()


def check_charset(content: bytes, name: str) -> None:
    """Any octets in any charset are some text, which is not much longer."""
    assert len(decode_octets(content, name)) <= len(content) + 1


def check_received(helo: str, rdns: str, sender: str, recipient: str) -> None:
    """Whatever a client is called, the trace field is one field of four lines."""
    field = ReceivedTemplate("mx.example", "harakatw").line(
        client=from_clause(helo, rdns, "192.0.2.1"),
        protocol="UTF8SMTP",
        uuid="U.1",
        mail_from=sender,
        seconds=0,
        recipient=recipient,
    )
    lines = field.split(b"\r\n")
    assert len(lines) == 5 + bool(recipient) and lines[-1] == b""
    assert all(line.startswith(b"\t") for line in lines[1:-1])
    assert max(map(len, lines)) <= 998
    assert not has_bare_newline(field)
    assert Header(field).names() == ["Received"]


def check_section(message: bytes, length: int, most: int) -> None:
    """Where the header ends does not depend on how much of the message has come."""
    whole = find_section(message, most, is_whole=True)
    assert whole is not None and 0 <= whole.end <= whole.body <= len(message)
    assert whole.end <= most
    early: Section | None = find_section(message[:length], most, is_whole=False)
    assert early in (None, whole)
    assert bytes(Header(message[: whole.end]))[: whole.end] == message[: whole.end]


# ---- whole messages ------------------------------------------------------------------


def check_store(
    message: bytes, lengths: tuple[int, ...], name: str, value: str
) -> None:
    """A message that nobody edits goes out as it came; an edit touches nothing else."""
    settings = StoreSettings(in_thread=NoThreads().call, spool_dir="/", spool_after=-1)
    kept = Message(settings)
    message = repair_newlines(message)  # as whoever receives it does
    for piece in cut(message, lengths):
        kept.append(piece)
    kept.finish()
    assert kept.size == len(message)
    head = bytes(kept.header)
    out = b"".join(kept.chunks())
    assert out.replace(b"\r\n", b"") == message.replace(b"\r\n", b"")
    disown_results(kept)
    assert kept.header.fields("Authentication-Results") == []
    try:
        kept.header.add_end(name, value)
    except ValueError:
        return
    body = out[len(head) :].removeprefix(b"\r\n")
    assert b"".join(kept.chunks()).endswith(body)
    kept.destroy()


def check_writer(message: bytes, lengths: tuple[int, ...]) -> None:
    """
    What goes out has no bare CR or LF; its dots come off again at the other end; the
    same however the message was cut.
    """
    pieces = list(cut(message, lengths))
    plain = b"".join(crlf_chunks(pieces))
    assert plain == b"".join(crlf_chunks([message])) and not has_bare_newline(plain)
    assert plain == b"" or plain.endswith(b"\r\n")
    stuffed = b"".join(stuffed_chunks(pieces))
    assert DataDecoder(0).feed(stuffed + b".\r\n") == (plain, b"")
    unix = b"".join(converted_chunks(pieces, b"\n"))
    assert unix == plain.replace(b"\r\n", b"\n")


def check_seven_bit(message: bytes) -> None:
    """What was eight bits wide is seven, once and for all, or cannot be."""
    try:
        converted = to_seven_bit(repair_newlines(message))
    except UnconvertibleError:
        return
    assert converted.isascii() and converted.endswith(b"\r\n")
    assert not has_bare_newline(converted)
    assert to_seven_bit(converted) == converted


def check_original(message: bytes, lengths: tuple[int, ...], most: int) -> None:
    """What comes back with a report is a beginning of the message, or nothing."""
    original = read_original(cut(message, lengths), max_octets=most)
    plain = b"".join(crlf_chunks([message]))
    assert plain.startswith(original.header)
    assert original.whole in (None, plain)
    for utf8 in (False, True):
        part = original.part(is_utf8=utf8)
        assert part is None or (utf8 or not has_bare_newline(bytes(part)))


_ADDRESSES = text(
    *("<", ">", "@", ".", '"', "\\", "[", "]", "a", "b.example", "IPv6:", "::1", " "),
    *("127.0.0.1", "ü", "\uff20", "\u3002", "xn--", "-", "Postmaster", "@a,@b:", "\t"),
)
_RAW = octets(
    *(b"Subject: x\r\n", b"From: <a@b>\r\n", b"\r\n", b" ", b"\t", b":", b"a", b"\n"),
    *(
        b"Content-Type: text/plain; name*0=x",
        b"\xff",
        b"\0",
        b"\r",
        b"__class__: x\r\n",
    ),
    *(b"Authentication-Results: x\r\n", b"From a b\r\n", b"x" * 99, b" folded\r\n"),
)
_PARTS = octets(
    *(b"Content-Type: ", b"multipart/mixed; boundary=b\r\n", b"message/rfc822\r\n"),
    *(b"\r\n--b\r\n", b"\r\n--b--\r\n", b"\r\n\r\n", b"\xc3\xbc", b"x" * 99, b"text"),
    *(b"Content-Transfer-Encoding: ", b"8bit\r\n", b"base64\r\n", b"Subject: \xff\r\n"),
    *(b"multipart/signed; boundary=b\r\n", b"text/plain; charset=utf-8\r\n", b"--b"),
)
_NAMES = text("Subject", "Content-Type", "X", ":", " ", "-", "__class__", most=2)
_VALUES = text(
    *(
        "a",
        " ",
        "\r\n ",
        "\n",
        "\t",
        "ü",
        "=?utf-8?q?x?=",
        "\u2028",
        "x" * 70,
        "x" * 999,
    ),
    most=12,
)
_WORDS = text(
    *("=?utf-8?q?", "?=", "=?iso-8859-1?b?", "=00", "=0A", "4pyT", "?", "=?", " ", "_"),
    *("=?utf-7?q?", "+AAo-", "=?x*en?Q?a?=", "\t", "ü"),
)
_PARAMETERS = text(
    *(";", "=", '"', "\\", "*", "*0", "*1*=", "name", "filename*=utf-8''%0A", "%", "("),
    *("text/plain", "=?utf-8?q?=0A?=", ")", " ", "*99999"),
)
_CHARSETS = text(
    "utf-8", "utf_7", "punycode", "idna", "-", "8859", "hz", "utf-16", most=3
)
_LENGTH = st.integers(0, 300)

TARGETS: Final = (
    Target(
        ("address",),
        st.tuples(_ADDRESSES, st.booleans(), st.booleans()),
        check_address,
    ),
    Target(("address_grammar",), st.tuples(_ADDRESSES), check_address_grammar),
    Target(("message.header",), st.tuples(_RAW, _NAMES, _VALUES), check_header),
    Target(("message.field",), st.tuples(_NAMES, _VALUES), check_field),
    Target(("message.parameters",), st.tuples(_PARAMETERS), check_parameters),
    Target(("message.encoded_words",), st.tuples(_WORDS), check_encoded_words),
    Target(
        ("message.charset",),
        st.tuples(octets(b"~{", b"+AAo-", b"\x1b$B", b"\xff\xfe"), _CHARSETS),
        check_charset,
    ),
    Target(
        ("message.received",),
        st.tuples(*[text("a", " ", ")", "(", "\\", "\r\n", "x" * 300, "ü")] * 4),
        check_received,
    ),
    Target(("message.section",), st.tuples(_RAW, _LENGTH, _LENGTH), check_section),
    Target(
        ("message.store", "message.foreign"),
        st.tuples(_RAW, cuts(), _NAMES, _VALUES),
        check_store,
    ),
    Target(
        tuple(
            f"message.seven_bit.{name}"
            for name in ("convert", "encode", "fields", "heads")
        ),
        st.tuples(_PARTS),
        check_seven_bit,
    ),
    Target(("message.writer",), st.tuples(_RAW, cuts()), check_writer),
    Target(
        ("outbound.dsn.original",), st.tuples(_RAW, cuts(), _LENGTH), check_original
    ),
)
