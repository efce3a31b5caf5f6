"""C{haraka -t}: a session in memory."""

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from harakatw.cli.create import write_files
from harakatw.cli.try_session import run_session
from harakatw.cli.try_wanted import Wanted
from harakatw.errors import PluginError
from tests.cli.instances import InstanceTestCase

QUEUE = '''\
"""Takes mail over, slowly, and notes all that it is told."""

import attrs
from twisted.internet.task import deferLater
from harakatw.plugin import *


@implementer(IInitMasterHook, IQueueHook, IQueueOkHook, IDisconnectHook)
@attrs.define
class Store:
    clock: object
    server: object

    def note(self, what):
        with open(self.server.directory + "/notes", "a") as notes:
            print(what, file=notes)

    def hook_init_master(self, server):
        self.note("init_master " + server.name)

    def hook_queue(self, connection):
        self.note("queue")
        return deferLater(self.clock, 5, lambda: OK)

    def hook_queue_ok(self, connection, text):
        self.note("queue_ok")

    def hook_disconnect(self, connection):
        self.note("disconnect")

    def shutdown(self):
        self.note("shutdown")
'''

DENIES_START = '''\
"""Cannot work."""

from harakatw.plugin import *


@implementer(IInitMasterHook)
class Cannot:
    def hook_init_master(self, server):
        return deny("no database")
'''

ADDS = '''\
"""Adds a field to each message."""

from harakatw.plugin import *


@implementer(IDataPostHook)
class Adds:
    def hook_data_post(self, connection):
        connection.transaction.add_header("X-Seen", str(connection.relaying))
'''

MESSAGE = b"Subject: x\n\n.dot\n\x1b[31mred\n"


class SessionTests(InstanceTestCase):
    """What is printed, and the status."""

    def setUp(self) -> None:
        """Have plugins to choose from."""
        super().setUp()
        self.clock = Clock()
        self.plugin("accepts", "OK")
        self.plugin("denies", 'deny("Not you")')
        sources = {"store": QUEUE, "cannot": DENIES_START, "adds": ADDS}
        files = {f"plugins/{name}.py": text for name, text in sources.items()}
        write_files(self.directory, files)
        self.write(plugins="accepts\nstore\n", me="mx.example\n")

    def begin(self, **wanted: Any) -> "Deferred[int]":
        """Begin a session."""
        asked: dict[str, Any] = {
            "sender": "a@b.example",
            "recipients": ("c@d.example",),
            "message": MESSAGE,
        }
        session = run_session(
            self.instance(), Wanted(**{**asked, **wanted}), self.clock, self.out
        )
        return Deferred.fromCoroutine(session)

    def status(self, **wanted: Any) -> int:
        """Run a session to its end, and return its status."""
        running = self.begin(**wanted)
        for _ in range(100):
            self.clock.advance(1)
        status = self.successResultOf(running)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        return status

    def notes(self) -> list[str]:
        """What the plugin C{store} was told."""
        path = self.directory / "notes"
        return path.read_text().splitlines() if path.exists() else []

    def test_accepted(self) -> None:
        """Each command, each verdict and each reply is printed in its place."""
        self.assertEqual(self.status(), 0)
        lines = [line.split() for line in self.printed().splitlines()]
        at = lines.index(["C:", "RCPT", "TO:<c@d.example>"])
        self.assertEqual(lines[at + 1], ["rcpt", "accepts", "OK", "0.000", "s"])
        self.assertEqual(lines[at + 2][:2], ["S:", "250"])
        self.assertEqual(lines[-1], ["accepted"])

    def test_refused(self) -> None:
        """A refusal is printed with the words of the plugin, and the status is 1."""
        self.write(plugins="denies\naccepts\n")
        self.assertEqual(self.status(), 1)
        self.assertIn("Not you", self.printed().splitlines()[-1])
        self.assertRegex(self.printed(), r"rcpt +denies +DENY +0\.000 s  Not you")
        self.assertNotIn("C: DATA", self.printed())
        self.assertIn("C: QUIT", self.printed())

    def test_nobody_accepts(self) -> None:
        """With all plugins of the instance, what nobody wants is refused."""
        self.write(plugins="store\n")
        self.assertEqual(self.status(), 1)
        self.assertIn("550 5.1.1", self.printed())

    def test_some_plugins(self) -> None:
        """
        With some plugins only, recipients that none of them ruled on are accepted, or
        one could not try the hooks after C{rcpt}.
        """
        self.assertEqual(self.status(plugins=("adds",)), 0)
        self.assertRegex(self.printed(), "data_post +adds")
        self.assertNotIn("haraka -t", self.printed())

    def test_skip_deny(self) -> None:
        """With C{--skip-deny} a denial is shown, and the next plugins are asked."""
        self.write(plugins="denies\naccepts\n")
        self.assertEqual(self.status(skip_deny=True), 0)
        self.assertRegex(self.printed(), r"rcpt +denies +DENY")
        self.assertRegex(self.printed(), r"rcpt +accepts +OK")

    def test_not_queued(self) -> None:
        """Without C{--queue} no plugin is given the message, nor told that it is."""
        self.assertEqual(self.status(), 0)
        self.assertIn("Not queued", self.printed())
        wanted = ["init_master mx.example", "disconnect", "shutdown"]
        self.assertEqual(self.notes(), wanted)

    def test_queued(self) -> None:
        """With it, it is queued; what a plugin takes its time for is printed."""
        self.assertEqual(self.status(queue=True), 0)
        self.assertEqual(self.notes()[1:3], ["queue", "queue_ok"])
        self.assertRegex(self.printed(), r"queue +store +OK +5\.000 s")

    def test_relaying(self) -> None:
        """With C{--set-relay} any recipient is accepted, and plugins see why."""
        self.write(plugins="adds\n")
        self.assertEqual(self.status(relaying=True, dump=True), 0)
        self.assertIn("|  X-Seen: True\n", self.printed())

    def test_dump(self) -> None:
        """The message is printed as plugins made it, harmless for the terminal."""
        self.write(plugins="accepts\nadds\n")
        self.assertEqual(self.status(dump=True), 0)
        self.assertIn("|  Received: from client.example", self.printed())
        self.assertIn("|  X-Seen: False\n|  \n|  .dot\n", self.printed())
        self.assertIn(r"|  \x1b[31mred", self.printed())

    def test_dump_mime(self) -> None:
        """Or its parts are."""
        self.assertEqual(self.status(dump_mime=True), 0)
        self.assertRegex(self.printed(), r"\|  text/plain 7bit \d+ octets\n")
        self.assertNotIn("|  Received:", self.printed())

    def test_no_message(self) -> None:
        """A session goes as far as what was given."""
        self.assertEqual(self.status(message=None), 0)
        self.assertNotIn("C: DATA", self.printed())
        self.out.truncate(0)
        self.assertEqual(self.status(message=None, sender=None, recipients=()), 0)
        self.assertNotIn("C: MAIL", self.printed())
        self.assertIn("C: EHLO client.example", self.printed())

    def test_second_recipient(self) -> None:
        """A refused recipient is told, and the others get the message all the same."""
        code = '"bad" in recipient.user and deny("No") or OK'
        self.plugin("accepts", code)
        recipients = ("bad@d.example", "good@d.example")
        self.assertEqual(self.status(recipients=recipients), 1)
        self.assertIn("S: 354", self.printed())

    def test_bad_address(self) -> None:
        """What is no address is refused by the server, as in a real session."""
        self.assertEqual(self.status(recipients=("no address",)), 1)
        self.assertRegex(self.printed(), "S: 501 ")

    def test_disconnected(self) -> None:
        """A server that hangs up ends the session without a QUIT."""
        self.plugin("denies", 'deny("Go away", disconnect=True)')
        self.write(plugins="denies\nstore\n")
        self.assertEqual(self.status(), 1)
        self.assertNotIn("QUIT", self.printed())
        self.assertEqual(self.notes()[-2:], ["disconnect", "shutdown"])

    def test_cannot_start(self) -> None:
        """Where a plugin would keep the server from starting there is no session."""
        self.write(plugins="cannot\n")
        self.assertEqual(self.status(), 1)
        self.assertEqual(
            self.printed().splitlines()[-1], "refused: init_master: DENY no database"
        )
        self.assertNotIn("S: 220", self.printed())

    def test_unknown_plugin(self) -> None:
        """A plugin that is not there is an error before the session."""
        error = self.failureResultOf(self.begin(plugins=("nosuch",)), PluginError)
        self.assertIn("nosuch", str(error.value))
        self.assertEqual(self.printed(), "")
