"""
Reads the dialogues of C{tests/transcripts} and replays them.

One line each::

    # a comment; those on top say what the dialogue shows
    C: a line of the client, to which CRLF is added
    S: a line of the server; a * at its end stands for anything
    S: ...                    any lines of the server: those of EHLO, say
    ! options max_errors=3    settings of connection.ini
    ! relaying                the client may relay
    ! lmtp                    the listener is one for LMTP
    ! queue 3                 a queue for those who may relay, in which mail waits
    ! encrypted               the client came over TLS
    ! users ann=pw            who may log in, and with which password
    ! tokens abc=ann          whose tokens are good
    ! certificate             the server has one, and so offers STARTTLS
    ! handshake               what follows is encrypted
    ! wait 30                 so many seconds pass
    ! whole                   the client's next lines come as one, never cut
    ! closed                  the server has closed the connection by now
    ! taken 1                 so many messages were taken by now

In a line of the client C{\\r}, C{\\n}, C{\\0}, C{\\t}, C{\\\\} and C{\\xNN} stand for
octets, and C{\\c} at its end for "no CRLF here". Lines that follow each other are sent
as one, and what the server must have said to them by then is what follows.
"""

import functools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any

import attrs

from harakatw.config.connection import ConnectionOptions
from harakatw.config.listeners import ORDINARY, Listener
from harakatw.net.tls.server import ServerTLS
from harakatw.plugins.tls import TLS
from harakatw.smtp.connection import TLS as TLSState
from harakatw.testing.server import MemoryClient
from tests.auth.users import fixed_users
from tests.fake_plugins import fake_plugin
from tests.sessions import Site, make_site
from tests.tls_clients import EncryptedClient, client_connection, server_tls
from tests.waiting_queue import WaitingQueue

_ESCAPE = re.compile(rb"\\(x[0-9a-fA-F]{2}|.)")
_ESCAPED: Mapping[bytes, bytes] = MappingProxyType(
    {b"r": b"\r", b"n": b"\n", b"0": b"\0", b"t": b"\t", b"\\": b"\\"}
)

Cut = Callable[[bytes], Sequence[bytes]]
"""How the network cuts what the client sends in one go."""


@attrs.define
class Turn:
    """
    What the client sends in one go, and what the server says to it.

    @ivar directives: what is to be done or checked after that.
    @ivar is_whole: must it not be cut?
    @ivar begins_tls: does a handshake come after it?
    """

    sent: bytes = b""
    said: list[str] = attrs.field(factory=list)
    directives: list[tuple[str, str]] = attrs.field(factory=list)
    is_whole: bool = False
    begins_tls: bool = False


@functools.cache  # made once for all replays, which do not change it
def _server_tls() -> ServerTLS:
    with TemporaryDirectory() as folder:
        return server_tls(Path(folder))


@attrs.frozen
class Transcript:
    """
    A dialogue.

    @ivar about: the comment on its top.
    @ivar options: of the server.
    @ivar relaying: may the client relay?
    @ivar encrypted: did it come over TLS?
    @ivar waiting: what waits in the outbound queue; L{None} if there is none.
    @ivar listener: where the client comes to.
    @ivar has_certificate: may it be encrypted?
    @ivar users: passwords of those who may log in; C{tokens} likewise.
    @ivar turns: the first has nothing sent: it is the greeting.
    """

    about: str
    options: ConnectionOptions
    relaying: bool
    encrypted: bool
    waiting: int | None
    listener: Listener
    has_certificate: bool
    users: Mapping[str, str]
    tokens: Mapping[str, str]
    turns: tuple[Turn, ...]

    @property
    def client_octets(self) -> int:
        """How much the client sends where it may be cut."""
        return sum(len(turn.sent) for turn in self.turns if not turn.is_whole)

    def replay(self, cut: Cut) -> Iterator[str]:
        """
        Hold the dialogue.

        @return: what went otherwise than it is written.
        """
        site = self._site()
        client: MemoryClient | EncryptedClient = site.client
        for number, turn in enumerate(self.turns):
            pieces = [turn.sent] if turn.is_whole else cut(turn.sent)
            for piece in pieces:
                if piece:
                    client.send(piece)
            for directive, argument in turn.directives:
                yield from _obey(site, directive, argument)
            said = client.hear()
            if not _is_like(said, turn.said):
                yield f"turn {number}: {turn.sent!r} was answered {said!r}"
                return
            if turn.begins_tls:
                client = EncryptedClient(site.client, client_connection())
                client.shake_hands()

    def _site(self) -> Site:
        def begin(connection: Any) -> None:
            connection.relaying = self.relaying
            if self.encrypted:
                connection.tls = TLSState(True, "TLS_AES_256_GCM_SHA384")

        plugins: list[object] = [fake_plugin(connect_init=begin)]
        if self.users or self.tokens:
            plugins.append(fixed_users(self.users, self.tokens))
        if self.has_certificate:
            plugins.append(TLS())
        queue = None if self.waiting is None else WaitingQueue(self.waiting)
        return make_site(
            *plugins,
            options=self.options,
            listener=self.listener,
            outbound=queue,
            tls=_server_tls() if self.has_certificate else None,
        )


def _obey(site: Site, directive: str, argument: str) -> Iterator[str]:
    if directive == "wait":
        site.server.clock.pump([1.0] * int(argument))
    elif directive == "closed":
        if not site.client.transport.closed:
            yield "the server has not closed the connection"
    elif directive == "taken":
        if len(site.mailbox.messages) != int(argument):
            yield f"{len(site.mailbox.messages)} messages were taken, not {argument}"
    else:
        raise ValueError(f"no directive: {directive}")


def _is_like(said: str, expected: Sequence[str]) -> bool:
    lines = said.split("\r\n")
    return lines.pop() == "" and _are_like(lines, expected)


def _are_like(lines: Sequence[str], expected: Sequence[str]) -> bool:
    if not expected:
        return not lines
    wanted, rest = expected[0], expected[1:]
    if wanted == "...":
        return any(_are_like(lines[at:], rest) for at in range(len(lines) + 1))
    if not lines:
        return False
    line = lines[0]
    is_like = line.startswith(wanted[:-1]) if wanted[-1:] == "*" else line == wanted
    return is_like and _are_like(lines[1:], rest)


def parse_transcript(text: str) -> Transcript:
    """
    Read a dialogue.

    @raise ValueError: if there is a line of another kind.
    """
    about: list[str] = []
    settings: dict[str, Any] = {"banner_chars": 0}
    relaying = encrypted = has_certificate = False
    waiting: int | None = None
    listener = ORDINARY
    known: dict[str, dict[str, str]] = {"users": {}, "tokens": {}}
    turns = [Turn()]
    for line in text.splitlines():
        kind, _, rest = line.partition(" ")
        turn = turns[-1]
        if kind == "#":
            if turns == [Turn()]:
                about.append(rest)
        elif kind == "C:":
            if turn.said or turn.directives or len(turns) == 1:
                turns.append(turn := Turn())
            turn.sent += _octets(rest)
        elif kind == "S:":
            turn.said.append(rest)
        elif kind == "!":
            directive, _, argument = rest.partition(" ")
            if directive == "options":
                settings.update(_settings(argument))
            elif directive == "relaying":
                relaying = True
            elif directive == "certificate":
                has_certificate = True
            elif directive == "handshake":
                turn.begins_tls = True
            elif directive == "encrypted":
                encrypted = True
            elif directive == "queue":
                waiting = int(argument)
            elif directive == "lmtp":
                listener = Listener(protocol="lmtp")
            elif directive in known:
                pairs = (word.rpartition("=") for word in argument.split())
                known[directive].update((name, value) for name, _, value in pairs)
            elif directive == "whole":
                turns.append(Turn(is_whole=True))
            else:
                turn.directives.append((directive, argument))
        elif line:
            raise ValueError(f"not a line of a transcript: {line!r}")
    return Transcript(
        " ".join(about),
        ConnectionOptions(**settings),
        relaying,
        encrypted,
        waiting,
        listener,
        has_certificate,
        **known,
        turns=tuple(turns),
    )


def _octets(line: str) -> bytes:
    def octet(found: re.Match[bytes]) -> bytes:
        escape = found[1]
        if len(escape) == 3:
            return bytes.fromhex(escape[1:].decode())
        return _ESCAPED[escape]

    octets = line.encode()
    ends = not octets.endswith(b"\\c")
    return _ESCAPE.sub(octet, octets if ends else octets[:-2]) + b"\r\n" * ends


def _settings(text: str) -> Iterator[tuple[str, Any]]:
    for setting in text.split():
        key, _, value = setting.partition("=")
        number = int(value) if value.isdigit() else value
        yield key, {"true": True, "false": False}.get(value, number)


def find_transcripts() -> Mapping[str, Transcript]:
    """All of them, by the name of the file without C{.txt}."""
    folder = Path(__file__).parent.parent / "transcripts"
    return {
        path.stem: parse_transcript(path.read_text("utf-8"))
        for path in sorted(folder.glob("*.txt"))
    }
