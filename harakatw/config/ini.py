r"""
Haraka's ini format, without I/O.

What C{haraka-config} 1.x reads is read the same way: keys before any C{[section]} are
in C{[main]}; lines that begin with C{;} or C{#} are comments; C{\} at the end of a line
joins the next to it; C{key[] = value} adds to a list; the last C{key = value} counts.
Where it drops what it does not understand, this says so, with the line:

  - a section header or the end of the file ends a continued line instead of carrying it
    into the next section or losing it;
  - the name of a section may begin with an IPv6 address: C{[[::1]:587]};
  - a key may hold any character but blanks, C{=} and a leading C{[}: domains in UTF-8
    too;
  - C{__proto__} is a name like any other.
"""

import re
from collections.abc import Iterator, Mapping

import attrs

from harakatw.config.problems import Problem

MAIN = "main"
"""The section of keys that stand before any header."""

_LINE_END = re.compile(r"\r\n|\r|\n")
_SECTION = re.compile(r"\[((?:\s*\[[^\[\]]*\])?[^\]]*)\]")
_KEY = re.compile(r"([^\s=\[][^\s=]*?)(\[\])?\s*(?:=(.*))?")
_SHOWN = 60


@attrs.frozen
class Entry:
    """
    What a file says about one key.

    @ivar values: one text; or the items of a list; or none, if the key stands alone.
    @ivar file: where, as in L{Problem}.
    @ivar line: counted from 1; 0 if the text came from elsewhere than an ini file.
    @ivar is_list: was it written as C{key[]}?
    """

    values: tuple[str, ...]
    file: str
    line: int = 0
    is_list: bool = False

    @property
    def text(self) -> str:
        """The value as one text; items of a list joined by commas."""
        return ",".join(self.values)

    @property
    def is_lone(self) -> bool:
        """Does the key stand without a C{=}?"""
        return not self.values and not self.is_list


@attrs.frozen
class Section:
    """
    One section, from all places of a file where its header stands.

    @ivar line: of the first header.
    """

    file: str
    line: int = 0
    entries: Mapping[str, Entry] = attrs.field(factory=dict)


@attrs.frozen
class Ini:
    """
    A file as sections in the order of their first header.

    @ivar problems: lines that say nothing, and keys that are said twice.
    """

    sections: Mapping[str, Section] = attrs.field(factory=dict)
    problems: tuple[Problem, ...] = ()

    def section(self, name: str) -> Mapping[str, Entry]:
        """The entries of a section, none if it is absent."""
        found = self.sections.get(name)
        return found.entries if found else {}


def parse(text: str, file: str) -> Ini:
    """
    Read a whole file; a line that makes no sense is a problem, and the rest goes on.

    @param text: the file.
    @param file: its name, for problems.
    """
    parser = _Parser(file)
    for line, content in _logical_lines(text):
        parser.line(line, content)
    return Ini(parser.sections, tuple(parser.problems))


def merge(base: Ini, over: Ini) -> Ini:
    """Lay C{over} upon C{base}, key by key."""
    sections = dict(base.sections)
    for name, section in over.sections.items():
        below = sections.get(name)
        entries = {**(below.entries if below else {}), **section.entries}
        sections[name] = attrs.evolve(section, entries=entries)
    return Ini(sections, base.problems + over.problems)


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Drop blank and comment lines; join continued ones, numbered as the first."""
    start, pending = 0, ""
    for number, line in enumerate(_LINE_END.split(text), 1):
        stripped = line.strip()
        if not stripped or stripped[0] in ";#":
            continue
        if _SECTION.fullmatch(stripped):
            if pending.strip():
                yield start, pending.strip()
            start, pending = 0, ""
            yield number, stripped
            continue
        start = start or number
        continued = stripped[-1] == "\\"
        pending += line.rstrip()[:-1] if continued else line
        if not continued:
            yield start, pending.strip()
            start, pending = 0, ""
    if pending.strip():
        yield start, pending.strip()


class _Parser:
    """Sections as they fill up."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []
        self._name = MAIN
        self._entries: dict[str, Entry] = {}
        self.sections: dict[str, Section] = {MAIN: Section(file, 0, self._entries)}

    def line(self, line: int, content: str) -> None:
        """Take one logical line, trimmed, that starts at line C{line} of the file."""
        header = _SECTION.fullmatch(content)
        found = _KEY.fullmatch(content)
        if header:
            self._open(header[1].strip(), line)
        elif found:
            value = None if found[3] is None else found[3].strip()
            self._set(found[1], value, line, is_list=bool(found[2]))
        else:
            # What stands after a = may be a password.
            name, equals, _ = content.partition("=")
            text = f"{name[:_SHOWN]}{equals and '= ...'}"
            why = f"{text!r} is neither [section] nor key = value"
            self.problems.append(Problem(self.file, line, "", "", why))

    def _open(self, name: str, line: int) -> None:
        self._name, self._entries = name, {}
        known = self.sections.get(name)
        if known:
            self._entries = dict(known.entries)
            self.sections[name] = attrs.evolve(known, entries=self._entries)
        else:
            self.sections[name] = Section(self.file, line, self._entries)

    def _set(self, key: str, value: str | None, line: int, *, is_list: bool) -> None:
        old = self._entries.get(key)
        items = () if value is None or (is_list and not value) else (value,)
        if old and old.is_list and is_list:
            self._entries[key] = attrs.evolve(old, values=old.values + items)
            return
        if old:
            why = f"replaces what line {old.line} says"
            self.problems.append(
                Problem(self.file, line, self._name, key, why, "notice")
            )
        self._entries[key] = Entry(items, self.file, line, is_list)


def from_object(content: object, file: str) -> Ini:
    """
    Read sections from what a JSON or YAML file holds for an ini file.

    @param content: an object of objects; a value may be a text, number, boolean, null
        (the key alone) or a list of these.
    @param file: the file's name, for problems.
    """
    if not isinstance(content, Mapping):
        return Ini({}, (Problem(file, 0, "", "", "expected an object of sections"),))
    sections: dict[str, Section] = {}
    problems: list[Problem] = []
    for name, keys in content.items():
        entries: dict[str, Entry] = {}
        if not isinstance(keys, Mapping):
            problems.append(
                Problem(file, 0, str(name), "", "expected an object of keys")
            )
            continue
        for key, value in keys.items():
            entry = _entry(value, file)
            if entry is None:
                expected = "expected a text, number, boolean or list of these"
                problems.append(Problem(file, 0, str(name), str(key), expected))
            else:
                entries[str(key)] = entry
        sections[str(name)] = Section(file, 0, entries)
    return Ini(sections, tuple(problems))


def _entry(value: object, file: str) -> Entry | None:
    items = value if isinstance(value, list) else [value]
    texts = tuple(scalar_text(item) for item in items if item is not None)
    if None in texts:
        return None
    return Entry(tuple(t for t in texts if t is not None), file, 0, value is items)


def scalar_text(value: object) -> str | None:
    """What an ini file would say for a JSON scalar; L{None} for what is no scalar."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    return None
