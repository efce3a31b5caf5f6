"""
Send the log to the syslog daemon of this machine.

Records go as datagrams to C{/dev/log} and nothing waits for them: when the daemon does
not take one, it is counted, and the number is reported once the daemon takes records
again.

@see: RFC 3164 section 4.1 (the form of a record); Haraka row PN27
"""

import errno
import os
import re
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import ClassVar, Final, Literal, Protocol

import attrs
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger, formatEvent
from twisted.python.failure import Failure

from harakatw.observe.writer import event_level, safe_text
from harakatw.plugin import OK, ILogHook, Verdict, doc, implementer

MAX_OCTETS: Final = 2048
"""Of one datagram; most daemons cut longer ones."""

MAX_LINES: Final = 100
"""Of one record, such as a traceback."""

RETRY_SECONDS: Final = 1.0
"""How long a daemon that is not there is left alone."""

SEVERITIES: Final[Mapping[str, int]] = MappingProxyType(
    {
        "emerg": 0,
        "alert": 1,
        "crit": 2,
        "error": 3,
        "warn": 4,
        "notice": 5,
        "info": 6,
        "debug": 7,
        "protocol": 7,
        "data": 7,
    }
)
"""By Haraka's level (RFC 3164 section 4.1.1)."""

FACILITIES: Final[Mapping[str, int]] = MappingProxyType(
    {
        "kern": 0,
        "user": 1,
        "mail": 2,
        "daemon": 3,
        "auth": 4,
        "syslog": 5,
        "lpr": 6,
        "news": 7,
        "uucp": 8,
        "local0": 16,
        "local1": 17,
        "local2": 18,
        "local3": 19,
        "local4": 20,
        "local5": 21,
        "local6": 22,
        "local7": 23,
    }
)
"""By the name that a postmaster writes (RFC 3164 section 4.1.1)."""

Facility = Literal[
    "kern",
    "user",
    "mail",
    "daemon",
    "auth",
    "syslog",
    "lpr",
    "news",
    "uucp",
    "local0",
    "local1",
    "local2",
    "local3",
    "local4",
    "local5",
    "local6",
    "local7",
]

_MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec"  # whatever the locale
_NEWLINES = re.compile(r"[\r\n]+")
_BLANKS = re.compile(r"[\t\r\n]")
_FULL = frozenset((errno.EAGAIN, errno.EWOULDBLOCK, errno.ENOBUFS, errno.EMSGSIZE))


def _is_tag(instance: object, attribute: "attrs.Attribute[str]", value: str) -> None:
    if not re.fullmatch(r"[!-9;-Z\\^-~]{1,32}", value):
        raise ValueError(f"{value!r} is not 1 to 32 printable characters without :[]")


@attrs.frozen(kw_only=True)
class SyslogOptions:
    """How records are marked, and where they go."""

    config_file: ClassVar[str] = "syslog.ini"
    unsupported: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "general.log_odelay": "the socket is opened for the first record",
            "general.log_ndelay": "the socket is opened for the first record",
            "general.log_nowait": "there is no process to wait for",
            "general.log_cons": "records that the daemon does not take are counted",
        }
    )

    program: str = attrs.field(
        default="haraka",
        validator=_is_tag,
        metadata=doc(
            "The program's name in each record.", section="general", key="name"
        ),
    )
    facility: Facility = attrs.field(
        default="mail",
        metadata=doc("The facility, by which syslog sorts.", section="general"),
    )
    log_pid: bool = attrs.field(
        default=True,
        metadata=doc("Name the process in each record?", section="general"),
    )
    always_ok: bool = attrs.field(
        default=False,
        metadata=doc("Keep what syslog took out of the usual log?", section="general"),
    )
    path: str = attrs.field(
        default="/dev/log",
        metadata=doc("The daemon's datagram socket.", section="general", key="socket"),
    )


class Datagrams(Protocol):
    """What is used of a socket."""

    def send(self, datagram: bytes, /) -> int:
        """Send one, or raise L{OSError}."""

    def close(self) -> None:
        """Close it."""


def open_socket(path: str) -> Datagrams:
    """
    Connect to a daemon; nothing of this waits.

    @raise OSError: if nobody listens there.
    """
    made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    try:
        made.connect(path)
    except OSError:
        made.close()
        raise
    return made


@attrs.define(eq=False)
class _Daemon:
    """
    The daemon, as far as it can be reached.

    @ivar lost: records not sent since the last one that was.
    """

    path: str
    clock: IReactorTime
    opener: Callable[[str], Datagrams]
    lost: int = 0
    _socket: Datagrams | None = None
    _retry_at: float = 0.0
    _log = Logger(namespace="harakatw.plugins.syslog")

    def send(self, datagram: bytes) -> bool:
        """Send a datagram; was it taken?"""
        try:
            self._send(datagram)
        except OSError as error:
            self._failed(error)
            return False
        return True

    def close(self) -> None:
        """Give the socket up."""
        made, self._socket = self._socket, None
        if made is not None:
            made.close()

    def _send(self, datagram: bytes) -> None:
        if self._socket is not None:
            try:
                self._socket.send(datagram)
                return
            except OSError as error:
                if error.errno in _FULL:
                    raise
            self.close()  # the daemon was started anew: find it again
        if self.clock.seconds() < self._retry_at:
            raise OSError(errno.ENOTCONN, "not tried again yet")
        self._socket = self.opener(self.path)
        self._socket.send(datagram)

    def _failed(self, error: OSError) -> None:
        self.lost += 1
        if error.errno not in _FULL and self.clock.seconds() >= self._retry_at:
            self.close()
            self._retry_at = self.clock.seconds() + RETRY_SECONDS
        if self.lost == 1:
            self._log.warn(
                "syslog at {path} takes no records: {problem}",
                path=self.path,
                problem=error,
            )


@implementer(ILogHook)
@attrs.frozen
class Syslog:
    """Passes each record on to syslog, and with C{always_ok} to nobody else."""

    options: SyslogOptions
    name: str
    clock: IReactorTime
    now: Callable[[], float]
    opener: Callable[[str], Datagrams] = open_socket
    _daemon: _Daemon = attrs.field(init=False)

    @_daemon.default
    def _make_daemon(self) -> _Daemon:
        return _Daemon(self.options.path, self.clock, self.opener)

    def hook_log(self, record: Mapping[str, object]) -> Verdict | None:
        event = dict(record)
        level = event_level(event)
        seconds = event.get("log_time")
        seconds = seconds if isinstance(seconds, float) else self.now()
        self._report(seconds)
        is_sent = True
        for line in _lines(event):
            text = f"[{level.upper()}] [{_origin(event)}] {line}"
            is_sent &= self._daemon.send(self._datagram(level, seconds, text))
        return OK if is_sent and self.options.always_ok else None

    def shutdown(self) -> None:
        """Give the socket up."""
        self._daemon.close()

    def _report(self, seconds: float) -> None:
        """Say how many records were lost, as soon as there is somebody to say it to."""
        lost = self._daemon.lost
        if lost:
            text = f"[WARN] [syslog] {lost} records before this were lost"
            if self._daemon.send(self._datagram("warn", seconds, text)):
                self._daemon.lost = 0
            else:
                self._daemon.lost = lost  # the report itself is no loss

    def _datagram(self, level: str, seconds: float, text: str) -> bytes:
        priority = FACILITIES[self.options.facility] * 8 + SEVERITIES.get(level, 6)
        at = time.localtime(seconds)
        month = _MONTHS[3 * at.tm_mon - 3 : 3 * at.tm_mon]
        stamp = f"{month} {at.tm_mday:2} {at.tm_hour:02}:{at.tm_min:02}:{at.tm_sec:02}"
        pid = f"[{os.getpid()}]" if self.options.log_pid else ""
        head = f"<{priority}>{stamp} {self.options.program}{pid}"
        octets = f"{head}: {text}".encode(errors="replace")
        if len(octets) > MAX_OCTETS:  # not amid a character
            octets = octets[: MAX_OCTETS - 3].decode(errors="ignore").encode() + b"..."
        return octets


def _lines(event: dict[str, object]) -> Iterator[str]:
    """A record's lines, without a control character, and with its traceback."""
    text = formatEvent(event)
    failure = event.get("log_failure")
    if isinstance(failure, Failure):
        text = f"{text}\n{failure.getTraceback()}"
    lines = [line for line in _NEWLINES.split(text) if line]
    return map(_printable, lines[:MAX_LINES])


def _origin(event: Mapping[str, object]) -> str:
    """The plugin or part that speaks."""
    name = str(event.get("plugin") or event.get("log_namespace") or "core")
    return _printable(name.removeprefix("harakatw."))


def _printable(text: str) -> str:
    return safe_text(_BLANKS.sub(" ", text))
