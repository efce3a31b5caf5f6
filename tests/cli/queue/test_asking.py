"""Asking a server that runs."""

import json
import socket
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from harakatw.cli.failure import CommandError
from harakatw.cli.queue.asking import Question, RemoteQueue

LIST = Question({"verb": "list"})


class RemoteTests(SynchronousTestCase):
    """What a server may answer."""

    def setUp(self) -> None:
        """Be the server."""
        ours, self.server = socket.socketpair(socket.AF_UNIX)
        self.addCleanup(self.server.close)
        self.queue = RemoteQueue(ours, ours.makefile("rb"))
        self.addCleanup(self.queue.close)

    def say(self, *frames: object) -> None:
        """Answer before it is asked, which is the same to whoever asks."""
        for frame in frames:
            self.server.sendall(json.dumps(frame).encode() + b"\n")

    def fails(self) -> str:
        """Why there is no answer."""
        return str(self.assertRaises(CommandError, self.queue.ask, LIST, print))

    def test_answer(self) -> None:
        """A question is a line; parts are handed on as they come, up to the end."""
        self.say({"item": 1}, {"item": 2}, {"done": {"items": 2}}, {"item": 3})
        parts: list[Any] = []
        done = self.queue.ask(LIST, lambda key, value: parts.append((key, value)))
        self.assertEqual((parts, done), ([("item", 1), ("item", 2)], {"items": 2}))
        self.assertEqual(self.server.recv(100), b'{"verb": "list"}\n')

    def test_error(self) -> None:
        """An error is told as it comes."""
        self.say({"error": "only the owner may ask"})
        self.assertEqual(self.fails(), "only the owner may ask")

    def test_hangs_up(self) -> None:
        """A server that goes in the middle of an answer is told of."""
        self.say({"item": 1})
        self.server.sendall(b'{"it')
        self.server.shutdown(socket.SHUT_WR)
        error = self.assertRaises(
            CommandError, self.queue.ask, LIST, lambda key, value: None
        )
        self.assertIn("hung up", str(error))

    def test_gone(self) -> None:
        """So is one that has gone before."""
        self.server.close()
        self.assertIn("the server has gone", self.fails())

    def test_own_output(self) -> None:
        """A pipe that our own reader closed is not the server's fault."""
        self.say({"item": 1})

        def closed(key: str, value: object) -> None:
            raise BrokenPipeError

        self.assertRaises(BrokenPipeError, self.queue.ask, LIST, closed)

    def test_refused(self) -> None:
        """Somebody whom the server does not want is told at once."""
        self.say({"error": "too many ask at the same time"})
        error = self.assertRaises(CommandError, self.queue.greet)
        self.assertIn("too many", str(error))
