"""
The other formats of the configuration, without I/O.

Blank lines and lines that begin with C{;} or C{#} are left out of lists and values, as
Haraka does; C{data} files are taken as they are.
"""

import json
import re
from collections.abc import Mapping

import yaml

from harakatw.config.problems import BadFile

MAX_DEPTH = 100
"""How deep JSON and YAML may nest; also what ends a YAML alias that holds itself."""

_LINE_END = re.compile(r"\r\n|\r|\n")


def decode(content: bytes) -> str:
    """
    Text of a file; a byte order mark is dropped.

    @raise BadFile: if it is not UTF-8.
    """
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise BadFile("is not UTF-8 text", line) from None


def parse_list(text: str) -> tuple[str, ...]:
    """The lines that say something, trimmed."""
    stripped = (line.strip() for line in _LINE_END.split(text))
    return tuple(line for line in stripped if line and line[0] not in ";#")


def parse_value(text: str) -> str:
    """The first line that says something, or C{""}."""
    return next(iter(parse_list(text)), "")


def parse_data(text: str) -> tuple[str, ...]:
    """All lines as they are, without their ends."""
    lines = _LINE_END.split(text)
    if lines[-1] == "":
        lines.pop()
    return tuple(lines)


def parse_json(text: str) -> object:
    """
    Read JSON (RFC 8259).

    @raise BadFile: if it is none, or nests too deep.
    """
    try:
        return _plain(json.loads(text), 0, {})
    except json.JSONDecodeError as error:
        raise BadFile(f"is not JSON: {error.msg}", error.lineno) from None
    except (ValueError, RecursionError) as error:
        raise BadFile(f"is not usable JSON: {error}") from None


def parse_yaml(text: str) -> object:
    """
    Read YAML, plain data only: a tag that would make a Python object is an error.

    @return: dicts with keys of type str, lists and scalars; L{None} for an empty file.
    @raise BadFile: if it is none, or nests too deep.
    """
    try:
        return _plain(yaml.safe_load(text), 0, {})
    except BadFile:
        raise
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise BadFile(f"is not YAML: {error.problem}", line) from None
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:
        raise BadFile(f"is not usable YAML: {error}") from None


def _plain(node: object, depth: int, done: dict[int, object]) -> object:
    """
    Copy a tree with text for every key.

    @param done: copies by identity, so that YAML aliases cost no more than their text.
    """
    if not isinstance(node, Mapping | list):
        return node
    if depth >= MAX_DEPTH:
        raise BadFile(f"nests deeper than {MAX_DEPTH} levels")
    if id(node) not in done:
        if isinstance(node, list):
            done[id(node)] = [_plain(item, depth + 1, done) for item in node]
        else:
            done[id(node)] = {
                str(key): _plain(item, depth + 1, done) for key, item in node.items()
            }
    return done[id(node)]


def merge_objects(base: object, over: object) -> object:
    """Lay one tree upon another: objects key by key, anything else as a whole."""
    if not (isinstance(base, Mapping) and isinstance(over, Mapping)):
        return over
    merged = dict(base)
    for key, value in over.items():
        merged[key] = merge_objects(base[key], value) if key in base else value
    return merged
