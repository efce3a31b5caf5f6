"""What a session in memory is begun with."""

import attrs
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock

from harakatw.cli.try_context import make_context
from harakatw.service import HarakaService
from harakatw.smtp.context import SessionContext
from tests.cli.instances import InstanceTestCase

_OTHER_OBJECTS = frozenset(("chains", "clock", "threads", "names", "log", "store"))
"""What each server has of its own."""


class ContextTests(InstanceTestCase):
    """It is what a server's sessions are begun with."""

    def both(self) -> tuple[SessionContext, SessionContext]:
        """A server's, and the command's."""
        service = HarakaService(self.directory, MemoryReactorClock())
        service.privilegedStartService()
        chains = service.context.chains
        name = service.server.name
        ours = make_context(self.instance(), name, chains, Clock())
        return service.context, ours

    def values(self, context: SessionContext) -> dict[str, object]:
        """All but what cannot be equal."""
        every = attrs.fields(SessionContext)
        names = [one.name for one in every if one.name not in _OTHER_OBJECTS]
        found = {name: getattr(context, name) for name in names}
        received = context.received
        found["received"] = received.line(
            client="c", protocol="p", uuid="u", mail_from="a@b.c", seconds=0.0
        )
        store = attrs.asdict(context.store, recurse=False)
        del store["in_thread"]
        return {**found, "store": store}

    def test_as_it_comes(self) -> None:
        """Without any file."""
        server, ours = self.both()
        self.assertEqual(self.values(ours), self.values(server))

    def test_configured(self) -> None:
        """With files that change greeting, announcements, limits and look-ups."""
        self.write(
            smtp_ini="inactivity_timeout=77\n",
            connection_ini="smtputf8=false\nspool_after=7\n[headers]\n"
            "show_version=false\nmax_lines=5\n[max]\nbytes=99\n[uuid]\ndeny_chars=3\n",
            results_ini="[access]\nhide=pass\n",
            me="mx.example\n",
        )
        server, ours = self.both()
        self.assertEqual(self.values(ours), self.values(server))
        self.assertNotIn("SMTPUTF8", ours.capabilities)

    def test_names(self) -> None:
        """Clients' names are looked up, as by a server."""
        server, ours = self.both()
        self.assertIsNotNone(ours.names)
        self.assertIs(type(ours.names), type(server.names))
