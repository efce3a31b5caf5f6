"""Tests of C{harakatw.process.server}."""

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from harakatw.interfaces.services import IServer
from harakatw.process.server import LogRecord, Server


class ServerTests(SynchronousTestCase):
    """The server as plugins see it."""

    def test_interface(self) -> None:
        """It is what plugins get as C{server}."""
        verifyObject(IServer, Server("mail.example", "/srv/mail"))

    def test_notes(self) -> None:
        """Plugins of one server share notes; two servers in one process do not."""
        one, other = Server("one", "/one"), Server("other", "/other")
        one.notes["seen"] = True
        self.assertTrue(one.notes["seen"])
        self.assertNotIn("seen", other.notes)


class LogRecordTests(SynchronousTestCase):
    """A record as the C{log} hook is given it."""

    def test_fields(self) -> None:
        """It has the fields of the event, and a name for the log of its own."""
        record = LogRecord({"log_format": "hello"})
        self.assertEqual(record["log_format"], "hello")
        self.assertEqual((record.uuid, record.watch), ("log", None))
