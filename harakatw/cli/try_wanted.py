"""What session C{haraka -t} is asked for."""

import ipaddress
import sys
from argparse import Namespace
from pathlib import Path
from typing import Final

import attrs

from harakatw.cli.failure import CommandError

_HELLO: Final = "client.example"


@attrs.frozen(kw_only=True)
class Wanted:
    """
    What session is wanted. It goes as far as what is given.

    @ivar plugins: names in order; empty for those of C{config/plugins}.
    @ivar ip: the client's address.
    @ivar verb: C{HELO} or C{EHLO}.
    @ivar host: what it calls itself.
    @ivar sender: L{None} if there is no transaction; C{""} is the null reverse-path.
    @ivar message: its octets; L{None} if it ends before DATA.
    @ivar relaying: may the client relay?
    @ivar skip_deny: are denials of plugins overridden?
    @ivar queue: is the message queued?
    @ivar dump: is it printed as it is to be queued?
    @ivar dump_mime: are its parts printed?
    """

    plugins: tuple[str, ...] = ()
    ip: str = "127.0.0.1"
    verb: str = "EHLO"
    host: str = _HELLO
    sender: str | None = None
    recipients: tuple[str, ...] = ()
    message: bytes | None = None
    relaying: bool = False
    skip_deny: bool = False
    queue: bool = False
    dump: bool = False
    dump_mime: bool = False

    @classmethod
    def from_flags(cls, flags: Namespace) -> "Wanted":
        """
        Take what the command line says.

        @raise CommandError: for what cannot be an address, or cannot be read.
        """
        names = () if flags.test == "all" else tuple(flags.test.split(","))
        if "" in names:
            raise CommandError("-t needs names of plugins, or all")
        said = (flags.helo, flags.ehlo, flags.envfrom, *(flags.envrcpt or ()))
        if any(text is not None and not text.isprintable() for text in said):
            raise CommandError("a line of SMTP holds no control characters")
        return cls(
            plugins=names,
            ip=_ip(flags.ip or "127.0.0.1"),
            verb="EHLO" if flags.helo is None else "HELO",
            host=flags.helo or flags.ehlo or _HELLO,
            sender=flags.envfrom,
            recipients=tuple(flags.envrcpt or ()),
            message=None if flags.message is None else _read(flags.message),
            relaying=flags.set_relay,
            skip_deny=flags.skip_deny,
            queue=flags.queue,
            dump=flags.dump_stream,
            dump_mime=flags.dump_mime,
        )


def _ip(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise CommandError(f"--ip: {text!r} is no IP address") from None


def _read(name: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise CommandError(f"--message: {name}: {error.strerror}") from None
