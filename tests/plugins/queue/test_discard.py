"""C{queue/discard}: messages that are taken and dropped (row PB13)."""

import os

from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from harakatw.plugin import IQueueHook, IQueueOutboundHook
from harakatw.plugins.queue.discard import VARIABLE, Discard
from harakatw.testing.server import MemoryServer
from tests.plugins.keeper import AcceptAll, Keeper, deliver
from tests.plugins.makers import NotesOnConnection, NotesOnTransaction


class DiscardTests(SynchronousTestCase):
    """When a message is dropped, and when it is left to the next plugin."""

    def send(self, tested: Discard, *makers: object) -> tuple[str, int]:
        """Send a message: the reply's code, and how many the next plugin got."""
        keeper = Keeper()
        plugins = [*makers, AcceptAll(), tested, keeper]
        client = MemoryServer(plugins).connect()
        said = deliver(client, "a@far.example", "b@here.example", "Subject: x", "", "x")
        return said[:3], len(keeper.messages)

    def test_contract(self) -> None:
        """It stands on both hooks of queueing."""
        self.assertTrue(verifyObject(IQueueHook, Discard(False)))
        self.assertTrue(verifyObject(IQueueOutboundHook, Discard(False)))

    def test_no_note(self) -> None:
        """Nobody asked: the next plugin gets the message."""
        self.assertEqual(self.send(Discard(False)), ("250", 1))

    def test_notes(self) -> None:
        """A note of the session or of the message drops it."""
        for maker in (
            NotesOnConnection({"discard": True}),
            NotesOnTransaction({"discard": True}),
            NotesOnTransaction({"queue.wants": "discard"}),
        ):
            self.assertEqual(self.send(Discard(False), maker), ("250", 0), maker)

    def test_false_notes(self) -> None:
        """A note that says no is no reason."""
        maker = NotesOnTransaction({"discard": False, "other": 1})
        self.assertEqual(self.send(Discard(False), maker), ("250", 1))

    def test_outbound(self) -> None:
        """Mail of clients that may relay is dropped as well."""
        maker = NotesOnConnection({"discard": 1}, relaying=True)
        self.assertEqual(self.send(Discard(False), maker), ("250", 0))

    def test_another_queue_is_wanted(self) -> None:
        """A message that is meant for another queue is not dropped, come what may."""
        maker = NotesOnTransaction({"queue.wants": "lmtp", "discard": True})
        self.assertEqual(self.send(Discard(True), maker), ("250", 1))

    def test_all(self) -> None:
        """With the variable in the environment every message is dropped."""
        self.patch(os, "environ", {VARIABLE: "1"})
        self.assertEqual(self.send(Discard()), ("250", 0))

    def test_not_all(self) -> None:
        """Without it, or empty, none is."""
        for environment in ({}, {VARIABLE: ""}):
            self.patch(os, "environ", environment)
            self.assertEqual(self.send(Discard()), ("250", 1))

    def test_warning(self) -> None:
        """A server that drops all mail says so when it starts; another does not."""
        for drops_all in True, False:
            with capturedLogs() as events:
                Discard(drops_all).register()
            self.assertEqual(len(events), int(drops_all))

    def test_log(self) -> None:
        """What a note made disappear can be found in the log, by its id."""
        with capturedLogs() as events:
            self.send(Discard(False), NotesOnTransaction({"discard": True}))
        texts = [event["log_format"] for event in events]
        self.assertIn("{uuid} discarded", texts)
