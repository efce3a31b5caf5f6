"""What postmasters write: files, settings, and the words of the queue's command."""

import json
import types
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Literal

import attrs

from harakatw.config import ini
from harakatw.config.coerce import BadValue, to_collection, to_scalar
from harakatw.config.connection import ConnectionOptions
from harakatw.config.endpoints import parse_addresses
from harakatw.config.files import ConfigFiles
from harakatw.config.options import load_options
from harakatw.config.problems import BadFile, Problem
from harakatw.config.readers import (
    decode,
    merge_objects,
    parse_data,
    parse_json,
    parse_list,
    parse_value,
    parse_yaml,
)
from harakatw.dns.hosts import parse_hosts_file
from harakatw.errors import HarakaError, ProtocolError
from harakatw.outbound.client.tls_rules import parse_hosts
from harakatw.outbound.control.grammar import FilterError, parse_filter
from harakatw.outbound.control.requests import parse_request
from harakatw.outbound.dsn.templates import fill, parse_image, parse_template
from harakatw.outbound.hop import Hop, HopError, parse_hop
from harakatw.outbound.intervals import MAX_INTERVALS, MIN_SECONDS, parse_intervals
from harakatw.outbound.letter import read_envelope
from harakatw.outbound.rates import parse_rate
from harakatw.plugins._networks import parse_networks
from harakatw.plugins._routes import parse_routes
from tests.fuzz.target import Target, octets, text
from tests.properties import st

_MAX_PROBLEM = 2000


def check_ini(content: str, over: str) -> None:
    """Every line is understood or named; one file is laid upon another."""
    read = ini.parse(content, "a.ini")
    lines = len(ini.parse(content + "\n[z]", "a.ini").sections) + content.count("\n")
    _check_problems(read.problems, lines + content.count("\r") + 1)
    other = ini.parse(over, "a.ini")
    both = ini.merge(read, other)
    assert both.sections.keys() == read.sections.keys() | other.sections.keys()
    for name, section in other.sections.items():
        for key, entry in section.entries.items():
            assert both.section(name)[key] == entry
    assert ini.merge(both, other).sections == both.sections


def _check_problems(problems: tuple[Problem, ...], lines: int) -> None:
    for problem in problems:
        assert 0 <= problem.line <= lines
        assert len(str(problem)) <= _MAX_PROBLEM


def check_readers(content: bytes) -> None:
    """A file is some text, or refused with its line."""
    try:
        read = decode(content)
    except BadFile as error:
        assert 1 <= error.line <= content.count(b"\n") + 1
        return
    items = parse_list(read)
    assert all(item == item.strip() and item[0] not in ";#" for item in items)
    assert parse_list("\n".join(items)) == items
    assert parse_value(read) in (*items, "")
    assert parse_data("".join(f"{line}\n" for line in parse_data(read))) == (
        parse_data(read)
    )


def check_objects(content: str) -> None:
    """JSON and YAML are plain data, or refused."""
    for parse in (parse_json, parse_yaml):
        try:
            found = parse(content)
        except BadFile:
            continue
        assert merge_objects(found, found) == found or found != found
        ini.from_object(found, "a.json")


def check_coerce(content: str, unit: str) -> None:
    """A value is of the type that an option has, or refused."""
    for wanted in (bool, int, float, str, int | None, Literal["on", "off"]):
        try:
            value = to_scalar(content, wanted, unit)
        except BadValue:
            continue
        assert wanted not in (bool, int, float, str) or type(value) is wanted
        several = types.GenericAlias(tuple, (wanted, ...))
        assert to_collection((content,) * 2, several, unit) == (value,) * 2


def check_options(content: bytes) -> None:
    """Whatever stands in a file, there are options that can be used."""
    with TemporaryDirectory() as folder:
        Path(folder, "connection.ini").write_bytes(content)
        loaded = load_options(
            ConnectionOptions, ConfigFiles(Path(folder)), "connection"
        )
    again = attrs.evolve(loaded.options)  # runs the validators
    assert again == loaded.options
    _check_problems(loaded.problems, content.count(b"\n") + content.count(b"\r") + 1)


def check_endpoints(content: str) -> None:
    """Addresses to listen on come through their own spelling."""
    try:
        found = parse_addresses(content, 25)
    except ValueError as error:
        assert type(error) is ValueError
        return
    for address in found:
        assert 0 <= address.port < 65536 and bool(address.host) != bool(address.path)
        if not address.path:
            assert parse_addresses(str(address), 25) == (address,)


def check_hosts(content: str) -> None:
    """Lists of hosts and networks hold what can be one."""
    known = parse_hosts_file(content)
    assert all(name.split() == [name] and ips for name, ips in known.items())
    entries = content.split()
    for parse in (parse_hosts, parse_networks):
        try:
            parse(entries)
        except ValueError:
            continue
        for entry in entries:
            parse((entry,))


def check_filter(words: list[str]) -> None:
    """Words say which items are meant, or what is wrong with them."""
    try:
        found = parse_filter(words)
    except FilterError as error:
        assert len(str(error)) <= _MAX_PROBLEM and str(error).isprintable()
        return
    assert parse_filter(words) == found
    assert len(found.ids) <= sum(map(len, words))


def check_request(line: bytes) -> None:
    """The socket of a running server takes a request, or says why not."""
    try:
        parse_request(line)
    except HarakaError as error:
        assert len(str(error)) <= _MAX_PROBLEM and str(error).isprintable()


def check_intervals(content: str) -> None:
    """Intervals are bounded in number and length; so are rates."""
    try:
        found = parse_intervals(content)
    except ValueError:
        found = ()
    assert len(found) <= MAX_INTERVALS and min(found, default=9) >= MIN_SECONDS
    try:
        rate = parse_rate(content)
    except ValueError:
        return
    assert rate is None or (rate.count > 0 and rate.seconds > 0)


def check_hop(content: str) -> None:
    """A next hop is one that can be connected to, or refused without its password."""
    try:
        hop = parse_hop(content)
    except HopError as error:
        # Of what looks like neither an object nor a URL nobody can say what is secret.
        if content.lstrip().startswith("{") or "auth_pass" not in content:
            assert "sesame" not in str(error)
        return
    assert isinstance(hop, Hop) and 0 < hop.port < 65536
    assert "sesame" not in str(hop) or "sesame" in hop.host + hop.path
    assert str(hop).isprintable()


def check_routes(content: str, key: str) -> None:
    """Routes of C{relay_dest_domains.ini} are right, or refused without a password."""
    try:
        routes = parse_routes({key: content})
    except ValueError as error:
        assert "sesame" not in str(error)
        return
    assert len(routes) == 1


def check_template(content: str, value: str) -> None:
    """A template of a report is header and text, or refused; filling never fails."""
    lines = parse_data(content)
    try:
        parse_image(lines)
    except ValueError:
        pass
    try:
        template = parse_template(lines)
    except ValueError:
        return
    values = {"date": value, "to": value}
    fill(content, values)
    template.text(values)
    for field in template.fields(values, utf8=False):
        assert field.endswith(b"\r\n") and field.count(b"\n") == field.count(b"\r\n")
        assert all(part[:1] in b" \t" for part in field[:-2].split(b"\r\n")[1:])


def check_envelope(sender: str, recipients: list[str]) -> None:
    """What a plugin says a letter is from and to are paths, or it is told so."""
    try:
        path, to = read_envelope(sender, recipients)
    except (ProtocolError, ValueError):
        return
    assert len(to) == len(recipients) > 0
    assert all(each.format().isprintable() for each in (path, *to))


_INI = (
    *("[", "]", "=", "\n", "\r\n", "\\\n", ";", "#", "main", "key", "key[]=", " ", "a"),
    *("[main]\n", "[__proto__]\n", "x=1\n", "\t", "ü", "\x85", "\u2028"),
)
_CONNECTION = (
    *(b"[max]\n", b"[uuid]\n", b"bytes=", b"1M", b"-1", b"line_length=", b"9999\n"),
    *(b"spool_after=", b"banner_chars=", b"[message]\n", b"greeting[]=", b"x", b"\n"),
    *(b"bare_newline=", b"normalise\n", b"true\n", b"1e9", b"\xff", b"recipients=5\n"),
)
_OBJECTS = (
    *(
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        '"a"',
        "1",
        "1e999",
        "null",
        "true",
        "-",
        "\n",
        " ",
    ),
    *(
        "&a ",
        "*a",
        "!!python/object:os.system ",
        "? ",
        "<<: ",
        "2001-99-99",
        "'",
        "NaN",
    ),
    *("- ", "a: ", "|\n", ">\n", "\t", "\0"),
)
_NUMBERS = ("1", "9" * 18, ".", "-", "+", "ms", "s", "K", "MiB", " ", "e", "on", "true")
_LISTEN = (
    *("127.0.0.1", ":", "25", "[", "]", "::1", ",", " ", "/run/x", "660", "65536", "*"),
    *("/", "%eth0", "\n"),
)
_HOSTS = (
    "127.0.0.1",
    "::1",
    "/8",
    "/33",
    " ",
    "\n",
    "#",
    "a.example",
    ".",
    "xn--",
    "ü",
)
_FILTERS = (
    *("sender=", "recipient=", "id=", "17", ",", "older=", "2d", "state=", "queued"),
    *("=", "domain=", "<>", "*", "'", "\x1b", "error=", "%", "9" * 20),
)
_HOPS = (
    *("smtp://", "smtps://", "lmtp:", "//", "user:sesame@", "mx.example", ":25", ":0"),
    *("[::1]", "/", "{", "}", '"host"', ":", '"a"', ",", "@", "%40", "%", "unix:/x"),
    *(" ", "127.0.0.1", ":99999", '{"host": "a", "port": 1}', "%1b"),
)
_NEXT_HOPS = (
    *('{"nexthop": "smtp://user:sesame@', "mx.example", ":25", ":99999", '"', "}", "/"),
)
_ROUTES = (
    *(*_NEXT_HOPS, *_HOPS),
    *('"action"', '"continue"', '"nexthop"', '{"action": "continue"}', "1"),
)
_TEMPLATES = (
    *("Subject: ", "{date}", "{", "}", "\n", "\n\n", "From: a\n", "Content-Type: x\n"),
    *("text", ":", " ", "\t", "ü", '"', "\u2028", "x" * 900),
)
_PATHS = ("a", "@", "b.example", "<", ">", '"', " ", "ü", "\n", "[", "]", "\\", ",")


def _object_text() -> st.SearchStrategy[str]:
    plain = st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5)),
        lambda inner: st.one_of(
            st.lists(inner, max_size=3),
            st.dictionaries(st.text(max_size=5), inner, max_size=3),
        ),
        max_leaves=8,
    )
    return st.one_of(text(*_OBJECTS), plain.map(json.dumps))


def _request() -> st.SearchStrategy[bytes]:
    value = st.one_of(
        st.sampled_from(("list", "show", "reroute", "drop", "bounce", "do", "count")),
        st.lists(text(*_FILTERS, most=3), max_size=3),
        st.booleans(),
        text(*_FILTERS, *_HOPS, most=3),
        st.none(),
    )
    names = st.sampled_from(("verb", "filter", "all", "mode", "to", "reason", "x"))
    asked = st.dictionaries(names, value, max_size=5).map(json.dumps)
    return st.one_of(asked.map(str.encode), octets(b"{", b"}", b'"verb"', b"[" * 99))


TARGETS: Final = (
    Target(("config.ini",), st.tuples(text(*_INI), text(*_INI)), check_ini),
    Target(
        ("config.readers",),
        st.tuples(octets(b"\n", b"#", b";", b"\xff")),
        check_readers,
    ),
    Target(("config.readers",), st.tuples(_object_text()), check_objects),
    Target(
        ("config.coerce",),
        st.tuples(
            text(*_NUMBERS, most=4), st.sampled_from(("", "seconds", "octets", "days"))
        ),
        check_coerce,
    ),
    Target(
        ("config.options", "config.loader", "config.files", "config.unknown"),
        st.tuples(octets(*_CONNECTION)),
        check_options,
    ),
    Target(("config.endpoints",), st.tuples(text(*_LISTEN, most=8)), check_endpoints),
    Target(
        ("dns.hosts", "outbound.client.tls_rules", "plugins._networks"),
        st.tuples(text(*_HOSTS)),
        check_hosts,
    ),
    Target(
        ("outbound.control.grammar",),
        st.tuples(st.lists(text(*_FILTERS, most=4), max_size=4)),
        check_filter,
    ),
    Target(("outbound.control.requests",), st.tuples(_request()), check_request),
    Target(
        ("outbound.intervals", "outbound.rates"),
        st.tuples(text("1", "99", "m", "h*3", ",", "*", "none", "/s", "/min", most=8)),
        check_intervals,
    ),
    Target(
        ("outbound.hop",),
        st.tuples(text(*_HOPS, '{"auth_pass": "sesame"}', most=8)),
        check_hop,
    ),
    Target(
        ("plugins._routes",),
        st.tuples(text(*_ROUTES, most=8), text("a", ".", "any", "ü", "*", most=3)),
        check_routes,
    ),
    Target(
        ("outbound.dsn.templates",),
        st.tuples(text(*_TEMPLATES), text(*_TEMPLATES, most=4)),
        check_template,
    ),
    Target(
        ("outbound.letter",),
        st.tuples(text(*_PATHS, most=6), st.lists(text(*_PATHS, most=6), max_size=3)),
        check_envelope,
    ),
)
