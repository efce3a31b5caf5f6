"""C{queue/test}: messages as files in a folder (row PB20)."""

import errno

from twisted.logger import capturedLogs
from zope.interface.verify import verifyObject

from harakatw.plugin import IQueueHook
from harakatw.plugins.queue.test import SaveAsFile
from harakatw.testing.server import MemoryServer
from harakatw.testing.threads import NoThreads
from tests.plugins.keeper import AcceptAll, deliver
from tests.plugins.servers import FolderTestCase


class SaveTests(FolderTestCase):
    """A message becomes a file."""

    def send(self) -> str:
        """Send a message; the answer."""
        tested = SaveAsFile("queue/test", NoThreads(), str(self.folder))
        client = MemoryServer([AcceptAll(), tested]).connect()
        return deliver(client, "a@far.example", "b@here.example", "Subject: x", "", "y")

    def test_contract(self) -> None:
        """It takes inbound mail, to the system's folder for temporary files."""
        tested = SaveAsFile("queue/test", NoThreads())
        self.assertTrue(verifyObject(IQueueHook, tested))
        self.assertTrue(tested.folder)

    def test_saved(self) -> None:
        """The message is kept byte for byte, under the id that the client was told."""
        said = self.send()
        ((path, content),) = self.files().items()
        uuid = path.removeprefix("mail_").removesuffix(".eml")
        self.assertEqual(said, f"250 2.0.0 Message Queued ({uuid})\r\n")
        self.assertTrue(content.endswith(b"\r\nSubject: x\r\n\r\ny\r\n"), content)

    def test_each(self) -> None:
        """A second message does not replace the first."""
        self.send()
        self.send()
        self.assertEqual(len(self.files()), 2)

    def test_disk_full(self) -> None:
        """What could not be saved is not accepted."""
        self.break_disk(errno.ENOSPC)
        with capturedLogs() as events:
            said = self.send()
        self.assertEqual((said[:9], self.files()), ("452 4.3.1", {}))
        self.assertIn("not saved", " ".join(e["log_format"] for e in events))
