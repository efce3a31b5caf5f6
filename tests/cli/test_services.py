"""What plugins get where there is no server."""

from typing import Any

from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock
from zope.interface.verify import verifyObject

from harakatw.cli.create import write_files
from harakatw.cli.services import NoOutbound, ReactorThreads, make_services
from harakatw.errors import PluginError, ProtocolError, StoreError
from harakatw.hooks.loader import PluginLoader
from harakatw.interfaces.services import IOutbound, IServer, IThreads
from harakatw.process.server import Server
from harakatw.service import HarakaService
from tests.cli.instances import InstanceTestCase
from tests.log_events import collect_log

WANTS_TOO_MUCH = '''\
"""Wants what nobody has."""

import attrs
from harakatw.plugin import *


@implementer(IQuitHook)
@attrs.define
class Wants:
    no_such_service: object

    def hook_quit(self, connection):
        return None
'''


class ServicesTests(InstanceTestCase):
    """What is there under which name."""

    def test_same_as_the_server(self) -> None:
        """
        A plugin that the server can make, C{haraka check} can make, and no other: the
        complaint about a plugin that wants more names the same services.
        """
        write_files(self.directory, {"plugins/wants.py": WANTS_TOO_MUCH})
        self.write(plugins="wants\n")
        service = HarakaService(self.directory, MemoryReactorClock())
        server_says = self.assertRaises(PluginError, service.privilegedStartService)
        instance = self.instance()
        services = make_services(instance, Clock())
        loader = PluginLoader(instance.search, instance.files, services, 30)
        we_say = self.assertRaises(PluginError, loader.load, "wants")
        self.assertIn("no_such_service", str(we_say))
        self.assertEqual(str(we_say), str(server_says))

    def test_interfaces(self) -> None:
        """They are what plugins are promised."""
        verifyObject(IThreads, ReactorThreads(Clock()))
        verifyObject(IServer, Server("mx.example", "/srv/mail"))
        verifyObject(IOutbound, NoOutbound())

    def test_mail(self) -> None:
        """
        Mail that a plugin sends while somebody tries it goes nowhere, which the log
        says; a mistake in its addresses is found all the same.
        """
        events = collect_log(self)
        outbound = NoOutbound()
        sent = outbound.send_email("a@b.example", ["c@d.example"], "Subject: x\n\nHi")
        self.assertTrue(self.successResultOf(sent))
        (event,) = (each for each in events if "rcpts" in each)
        self.assertEqual(
            (event["sender"], event["rcpts"]), ("<a@b.example>", "<c@d.example>")
        )
        self.assertRaises(ProtocolError, outbound.send_email, "", "nobody", "x")
        connection: Any = None
        self.failureResultOf(outbound.queue(connection), StoreError)

    def test_name(self) -> None:
        """The server is called as C{config/me} says."""
        self.write(me="mx.example\n")
        server = make_services(self.instance(), Clock())["server"]
        assert isinstance(server, Server)
        self.assertEqual(server.name, "mx.example")
        self.assertEqual(server.directory, str(self.directory.absolute()))
