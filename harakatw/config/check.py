"""A look at a whole configuration: every class, every file, before a server starts."""

import difflib
import fnmatch
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

from harakatw.config.files import ONE_FILE, ConfigFiles
from harakatw.config.options import load_values
from harakatw.config.problems import Problem, Severity
from harakatw.config.schema import KnownFile, OptionClass, known_files, options
from harakatw.config.unknown import unknown_names

RETIRED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "databytes": "write connection.ini [max] bytes",
        "smtpgreeting": "write connection.ini [message] greeting[]",
        "ehlo_hello_message": "write connection.ini [message] helo",
        "connection_close_message": "write connection.ini [message] close",
        "banner_includes_uuid": "write connection.ini [uuid] banner_chars",
        "deny_includes_uuid": "write connection.ini [uuid] deny_chars",
        "max_mime_parts": "write connection.ini [max] mime_parts",
        "max_line_length": "write connection.ini [max] line_length",
        "max_data_line_length": "write connection.ini [max] data_line_length",
        "haproxy_hosts": "write connection.ini [haproxy] hosts[]",
        "mailparser.bufsize": "a message is looked at in the pieces that it comes in",
        "mailparser.max_mime_depth": "the MIME structure is not looked at yet",
        "mailparser.attachment_max_buffered": "attachments are not looked at yet",
        "outbound.disabled": "write outbound.ini disabled",
        "outbound.enable_tls": "write outbound.ini enable_tls",
        "outbound.temp_fail_intervals": "write outbound.ini temp_fail_intervals",
        "outbound.maxTempFailures": "write outbound.ini maxTempFailures",
        "outbound.concurrency_max": "write outbound.ini concurrency_max",
        "outbound.received_header": "write outbound.ini received_header",
    }
)
"""
Files of Haraka that nothing reads, and what to do instead.

Haraka 3.1 ignores the first ten and still obeys those of C{outbound.}: a queue that
somebody stopped by C{outbound.disabled} must not start to send here, so those are
errors.
"""

_TYPO_RATIO = 0.85
_LEFT_BY_EDITORS = ("~", ".bak", ".orig", ".rej", ".swp", ".tmp", ".old", ".new")


def check_files(
    files: ConfigFiles,
    classes: Mapping[str, OptionClass],
    known: Iterable[str] = (),
) -> tuple[Problem, ...]:
    """
    Find all that is wrong with a configuration.

    @param classes: every option class in use, by its owner's name.
    @param known: other files that something reads; C{tls/*} stands for a folder's.
    @return: the problems by file and line.
    """
    every = known_files((name, cls) for name, cls in classes.items())
    found = [
        *_values(files, classes, every),
        *(
            problem
            for file, what in every.items()
            for problem in unknown_names(files.read_ini(file).value, what)
        ),
        *_stray_files(files, classes, known),
    ]
    return tuple(sorted(dict.fromkeys(found), key=lambda p: (p.file, p.line)))


def _values(
    files: ConfigFiles,
    classes: Mapping[str, OptionClass],
    every: Mapping[str, KnownFile],
) -> Iterator[Problem]:
    for name, cls in classes.items():
        yield from load_values(cls, files, name, every).problems


def _stray_files(
    files: ConfigFiles, classes: Mapping[str, OptionClass], known: Iterable[str]
) -> Iterator[Problem]:
    """Retired files, scripts, and names that look like a slip of the pen."""
    read = {
        option.source.file
        for name, cls in classes.items()
        for option in options(cls, name)
    }
    names = sorted({*read, *known, ONE_FILE, *RETIRED})
    for name in files.names():
        if name in RETIRED:
            yield _retired(files.shown(name), name)
        elif name.endswith(".js"):
            why = "is JavaScript, which is not run here"
            yield Problem(files.shown(name), 0, "", "", why, "notice")
        elif not any(fnmatch.fnmatchcase(name, pattern) for pattern in names):
            yield from _maybe_typo(files.shown(name), name, names)


def _retired(file: str, name: str) -> Problem:
    severity: Severity = "error" if name.startswith("outbound.") else "notice"
    why = f"has no effect: {RETIRED[name]}"
    return Problem(file, 0, "", "", why, severity)


def _maybe_typo(file: str, name: str, names: list[str]) -> Iterator[Problem]:
    base = name.rpartition("/")[2]
    if base.startswith((".", "#")) or name.endswith(_LEFT_BY_EDITORS):
        return
    near = difflib.get_close_matches(name, names, n=1, cutoff=_TYPO_RATIO)
    if near:
        why = f"nothing reads it, did you mean {near[0]}?"
        yield Problem(file, 0, "", "", why)
