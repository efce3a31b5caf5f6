"""
The options of the server itself: C{smtp.ini}, C{connection.ini} and C{log.ini}.

Names and defaults are Haraka's unless a comment says otherwise.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar, Literal

import attrs
from attrs.validators import and_, ge, le

from harakatw.config.endpoints import ListenAddress, parse_address, parse_addresses
from harakatw.config.options import doc, list_file, value_file

SMTP_PORT = 25
LEVELS = (
    "emerg",
    "alert",
    "crit",
    "error",
    "warn",
    "notice",
    "info",
    "debug",
    "protocol",
    "data",
)
"""Log levels by their number in Haraka, the gravest first."""

_MOVED = "in Haraka 3.1 it moved to connection.ini"
_LOG_LEVEL = re.compile(r"(?:LOG)?([A-Z]+|[0-9])", re.IGNORECASE)


def _is_listen(instance: object, attribute: "attrs.Attribute[str]", value: str) -> None:
    parse_addresses(value, SMTP_PORT)


def _is_host(instance: object, attribute: "attrs.Attribute[str]", value: str) -> None:
    if value:
        parse_address(value, SMTP_PORT)


def _is_nodes(instance: object, attribute: "attrs.Attribute[str]", value: str) -> None:
    if not re.fullmatch(r"cpus|[0-9]{1,3}", value):
        raise ValueError(f"{value!r} is neither a number of processes nor cpus")


def _is_server_name(
    instance: object, attribute: "attrs.Attribute[str]", value: str
) -> None:
    if re.search(r"[^\x21-\x7e]", value) or len(value) > 255:
        raise ValueError(f"{value!r} is not a host name in ASCII")


@attrs.frozen(kw_only=True)
class ServerOptions:
    """What the process needs to start: addresses, workers, user, plugins."""

    config_file: ClassVar[str] = "smtp.ini"
    unsupported: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "main.public_ip": "nothing asks for the public address yet",
            "main.spool_dir": f"{_MOVED} [main] spool_dir",
            "main.spool_after": f"{_MOVED} [main] spool_after",
            "main.strict_rfc1869": f"{_MOVED} [main] strict_rfc1869",
            "main.smtputf8": f"{_MOVED} [main] smtputf8",
            "headers.*": f"{_MOVED} [headers]",
        }
    )

    listen: str = attrs.field(
        default="",
        validator=_is_listen,
        metadata=doc(
            "Where to listen: a comma list of IP addresses with ports and of paths of "
            "Unix sockets, which may end in :mode. Without it, every address at port "
            "25, as [::0]:25 says."
        ),
    )
    listen_host: str = attrs.field(
        default="",
        validator=_is_host,
        metadata=doc("One more address, the old way: an IP address; see port."),
    )
    port: int = attrs.field(
        default=0,
        validator=and_(ge(0), le(65535)),
        metadata=doc(
            "The port of listen_host, or of every address if that is not set; 0 for "
            "none."
        ),
    )
    smtps_port: int = attrs.field(
        default=465,  # RFC 8314 section 3.3
        validator=and_(ge(0), le(65535)),
        metadata=doc(
            "Among the ports of listen, the one that speaks TLS from the first octet "
            "on, unless listeners.ini says otherwise; 0 for none."
        ),
    )
    inactivity_timeout: float = attrs.field(
        default=300,  # RFC 5321 section 4.5.3.2.7
        validator=ge(1),
        metadata=doc("How long a client may say nothing.", unit="seconds"),
    )
    nodes: str = attrs.field(
        default="0",  # Haraka: 1, which forks a master and one worker
        validator=_is_nodes,
        metadata=doc(
            "Worker processes: a number, or cpus for one on each; 0 runs everything in "
            "one process."
        ),
    )
    user: str = attrs.field(
        default="", metadata=doc("The user to become once the ports are open.")
    )
    group: str = attrs.field(
        default="", metadata=doc("The group to become once the ports are open.")
    )
    ignore_bad_plugins: bool = attrs.field(
        default=False, metadata=doc("Start without the plugins that cannot be loaded?")
    )
    daemonize: bool = attrs.field(
        default=False, metadata=doc("Leave the terminal and run in the background?")
    )
    daemon_log_file: str = attrs.field(
        default="/var/log/haraka.log",
        metadata=doc("Where the log goes when run in the background."),
    )
    daemon_pid_file: str = attrs.field(
        default="/var/run/haraka.pid",
        metadata=doc("Where the process id is kept when run in the background."),
    )
    graceful_shutdown: bool = attrs.field(
        default=False,
        metadata=doc("Let open sessions end before the server does?"),
    )
    force_shutdown_timeout: float = attrs.field(
        default=30,
        validator=ge(0),
        metadata=doc(
            "How long a shutdown may take before it is forced.", unit="seconds"
        ),
    )
    me: str = attrs.field(
        default="",
        validator=_is_server_name,
        metadata=value_file(
            "me",
            "The server's name in the greeting and in trace headers; without it, the "
            "host's.",
        ),
    )
    plugins: tuple[str, ...] = attrs.field(
        default=(),
        metadata=list_file(
            "plugins", "The plugins, in the order in which they are asked."
        ),
    )
    plugin_timeout: float = attrs.field(
        default=30,
        validator=ge(0),
        metadata=value_file(
            "plugin_timeout",
            "How long a plugin may take to answer a hook; 0 is for ever.",
            unit="seconds",
        ),
    )
    queue_dir: str = attrs.field(
        default="",
        metadata=value_file(
            "queue_dir", "Where the queue is kept; without it, queue beside config."
        ),
    )

    @property
    def addresses(self) -> tuple[ListenAddress, ...]:
        """Where to listen: C{listen_host} and C{port} first, then C{listen}."""
        addresses = parse_addresses(self.listen, SMTP_PORT)
        if self.listen_host or self.port:
            first = parse_address(self.listen_host or "[::0]", self.port or SMTP_PORT)
            return (first, *(address for address in addresses if address != first))
        return addresses or parse_addresses("[::0]", SMTP_PORT)


@attrs.frozen(kw_only=True)
class PluginTimeoutOptions:
    """One plugin's own time limit, from C{config/<plugin>.timeout}."""

    timeout: float | None = attrs.field(
        default=None,
        validator=attrs.validators.optional(ge(0)),
        metadata=value_file(
            "{name}.timeout",
            "How long this plugin may take to answer a hook; 0 is for ever; without "
            "it, plugin_timeout.",
            unit="seconds",
        ),
    )


def log_level(text: str) -> str:
    """
    Read a level as Haraka does: C{info}, C{LOGINFO} or C{6}.

    @return: one of L{LEVELS}.
    @raise ValueError: if it is none.
    """
    found = _LOG_LEVEL.fullmatch(text.strip())
    word = found[1].lower() if found else ""
    if word.isdigit():
        word = LEVELS[int(word)]
    if word not in LEVELS:
        raise ValueError(f"{text!r} is not one of {', '.join(LEVELS)}")
    return word


def _is_level(instance: object, attribute: "attrs.Attribute[str]", value: str) -> None:
    log_level(value)


@attrs.frozen(kw_only=True)
class LogOptions:
    """What is logged, and how."""

    config_file: ClassVar[str] = "log.ini"

    ini_level: str = attrs.field(
        default="info",
        validator=_is_level,
        metadata=doc(
            f"The least grave that is logged: {', '.join(LEVELS)}.", key="level"
        ),
    )
    ini_timestamps: bool = attrs.field(
        default=True,
        metadata=doc("Does each line begin with the time?", key="timestamps"),
    )
    format: Literal["default", "logfmt", "json"] = attrs.field(
        default="default",
        metadata=doc("How a line is written: default, logfmt or json."),
    )
    file_level: str | None = attrs.field(
        default=None,
        validator=attrs.validators.optional(_is_level),
        metadata=value_file(
            "loglevel", "Replaces the level of log.ini while it exists."
        ),
    )
    file_timestamps: bool | None = attrs.field(
        default=None,
        metadata=value_file(
            "log_timestamps", "Replaces timestamps of log.ini while it exists."
        ),
    )

    @property
    def level(self) -> str:
        """The level in force, one of L{LEVELS}."""
        return log_level(self.file_level or self.ini_level)

    @property
    def timestamps(self) -> bool:
        """Whether each line begins with the time."""
        if self.file_timestamps is None:
            return self.ini_timestamps
        return self.file_timestamps
