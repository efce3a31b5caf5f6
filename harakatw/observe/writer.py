"""
Write the log: Haraka's levels and formats.

@see: Haraka rows CF43 to CF47, RG20; weakness WK40
"""

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import IO, Any, Final

from twisted.logger import ILogObserver, LogEvent, LogLevel, formatEvent
from zope.interface import implementer

from harakatw.config.core import LogOptions
from harakatw.observe.levels import level_number

_UNSAFE: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_NEWLINES: Final = re.compile("\r\n|\r|\n")
_NEEDS_QUOTES: Final = re.compile(r'[\s="\\]')

_OLD_LOG: Final = "log_legacy"  # the namespace of twisted.python.log

_NAMES: Final[Mapping[object, str]] = MappingProxyType(
    {
        LogLevel.critical: "crit",
        LogLevel.error: "error",
        LogLevel.warn: "warn",
        LogLevel.info: "info",
        LogLevel.debug: "debug",
    }
)


def event_level(event: LogEvent) -> str:
    """
    Haraka's name for how grave an event is.

    An event may say so itself, in C{haraka_level}; otherwise Twisted's level decides.
    What is not grave and comes by Twisted's old log is C{debug}: each query of DNS
    would tell there of its port and its protocol, in four lines.
    """
    own = event.get("haraka_level")
    if own:
        return str(own)
    level = _NAMES.get(event.get("log_level"), "info")
    is_old = level == "info" and event.get("log_namespace") == _OLD_LOG
    return "debug" if is_old else level


def safe_text(text: str) -> str:
    """
    Text without control characters, since what a peer sends must not act on a terminal,
    and without lone surrogates, which no file takes.
    """
    return _UNSAFE.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


@implementer(ILogObserver)
class LogWriter:
    """
    Writes events to a stream, one line each, as C{log.ini} says.
    """

    def __init__(self, stream: IO[str], now: Callable[[], float]) -> None:
        """
        @param stream: where lines go.
        @param now: the time for events that do not bear one.
        """
        self._stream = stream
        self._now = now
        self.obey(LogOptions())

    def obey(self, options: LogOptions) -> None:
        """Take another level, format or both."""
        self._most = level_number(options.level)
        self._timestamps = options.timestamps
        self._format = options.format

    def wants(self, event: LogEvent) -> bool:
        """Is this event grave enough for C{log.ini}?"""
        return level_number(event_level(event)) <= self._most

    def __call__(self, event: LogEvent) -> None:
        """Write one event, if its level is wanted."""
        if not self.wants(event):
            return
        level = event_level(event)
        lines = _text_of(event)
        write = self._stream.write
        if self._format == "json":
            write(self._json(event, level, lines))
        elif self._format == "logfmt":
            write(self._logfmt(event, level, lines))
        else:
            stamp = f"{self._stamp(event)} " if self._timestamps else ""
            origin = _origin(event)
            for line in lines:
                write(f"{stamp}[{level.upper()}] [{origin}] {line}\n")
        self._stream.flush()

    def _stamp(self, event: LogEvent) -> str:
        seconds = event.get("log_time") or self._now()
        return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")

    def _fields(self, event: LogEvent, level: str, lines: list[str]) -> dict[str, str]:
        fields = {"level": level.upper(), "origin": _origin(event)}
        if self._timestamps:
            fields = {"timestamp": self._stamp(event), **fields}
        if "uuid" in event:
            fields["uuid"] = safe_text(str(event["uuid"]))
        fields["message"] = "\n".join(lines)
        return fields

    def _json(self, event: LogEvent, level: str, lines: list[str]) -> str:
        return json.dumps(self._fields(event, level, lines)) + "\n"

    def _logfmt(self, event: LogEvent, level: str, lines: list[str]) -> str:
        fields = self._fields(event, level, [" | ".join(lines)])
        return (
            " ".join(f"{name}={_quoted(text)}" for name, text in fields.items()) + "\n"
        )


def _text_of(event: LogEvent) -> list[str]:
    """The lines of an event, with its traceback if it has one."""
    text = formatEvent(event)
    failure: Any = event.get("log_failure")
    if failure is not None:
        text = f"{text}\n{failure.getTraceback()}"
    return [safe_text(line) for line in _NEWLINES.split(text) if line]


def _origin(event: LogEvent) -> str:
    """The plugin or part that speaks."""
    name = str(event.get("plugin") or event.get("log_namespace") or "core")
    return safe_text(name.removeprefix("harakatw."))


def _quoted(text: str) -> str:
    return json.dumps(text) if not text or _NEEDS_QUOTES.search(text) else text
