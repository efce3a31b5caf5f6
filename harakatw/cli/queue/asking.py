"""
Ask a queue: what a question is, and a server that runs.

@see: L{harakatw.outbound.control.answers}
"""

import json
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any, Final, Protocol

import attrs

from harakatw.cli.failure import CommandError
from harakatw.outbound.control.place import find_place

Take = Callable[[str, Any], None]
"""Is given what an answer consists of: the key of an object, and its value."""

_GREETING_SECONDS: Final = 10.0


@attrs.frozen
class Question:
    """
    What to ask.

    @ivar fields: see L{harakatw.outbound.control.requests}.
    """

    fields: Mapping[str, object]

    @property
    def line(self) -> bytes:
        """In JSON, without a line end."""
        return json.dumps(self.fields).encode("ascii")

    def with_mode(self, mode: str) -> "Question":
        """The same, but only to tell what would be changed."""
        return Question({**self.fields, "mode": mode})


class Asker(Protocol):
    """Who knows about a queue."""

    def ask(self, question: Question, take: Take) -> Mapping[str, Any]:
        """
        Ask.

        @param take: is given the answer's parts as they come.
        @return: its end.
        @raise HarakaError: the answer is an error, or there is none.
        """

    def close(self) -> None:
        """Ask nothing any more."""


def take_frame(frame: Mapping[str, Any], take: Take) -> Mapping[str, Any] | None:
    """
    Hand on one object of an answer; returns it if it is the end.

    @raise CommandError: if it is an error.
    """
    for key, value in frame.items():
        if key == "error":
            raise CommandError(str(value))
        if key == "done":
            end: Mapping[str, Any] = value
            return end
        take(key, value)
    return None


@attrs.frozen(eq=False)
class RemoteQueue:
    """The queue of a server that runs."""

    _socket: socket.socket
    _stream: IO[bytes]

    def ask(self, question: Question, take: Take) -> Mapping[str, Any]:
        """See L{Asker}."""
        self._say(question.line + b"\n")
        while True:
            done = take_frame(self._hear(), take)
            if done is not None:
                return done

    def close(self) -> None:
        """Hang up."""
        self._stream.close()
        self._socket.close()

    def greet(self) -> None:
        """
        Wait until the server is ready for a question.

        @raise CommandError: if it is not.
        """
        self._socket.settimeout(_GREETING_SECONDS)
        take_frame(self._hear(), lambda key, value: None)
        self._socket.settimeout(None)  # a million items take their time

    # Not around all of ask(): a BrokenPipeError may also be that of our own output.

    def _say(self, octets: bytes) -> None:
        try:
            self._socket.sendall(octets)
        except OSError as error:
            raise _gone(error.strerror) from error

    def _hear(self) -> Mapping[str, Any]:
        try:
            line = self._stream.readline()
        except TimeoutError as error:
            raise CommandError("the server does not answer") from error
        except OSError as error:
            raise _gone(error.strerror) from error
        if not line.endswith(b"\n"):
            raise _gone("it hung up")
        frame: Mapping[str, Any] = json.loads(line)
        return frame


def _gone(why: str | None) -> CommandError:
    return CommandError(f"the server has gone ({why}): see its log")


def connect_remote(directory: Path) -> RemoteQueue | None:
    """
    Reach the server that has a queue.

    @param directory: of the queue.
    @return: L{None} if nobody listens there.
    @raise HarakaError: somebody does, and does not answer, or not to us.
    """
    connection = socket.socket(socket.AF_UNIX)
    place = find_place(directory)
    try:
        connection.connect(place.address)
    except (FileNotFoundError, ConnectionRefusedError):
        connection.close()
        return None
    except OSError as error:
        connection.close()
        raise CommandError(f"{place.path}: {error.strerror}") from error
    finally:
        place.close()
    remote = RemoteQueue(connection, connection.makefile("rb"))
    try:
        remote.greet()
    except CommandError:
        remote.close()
        raise
    return remote
