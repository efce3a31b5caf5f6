"""Aliases and routes of recipients, to hosts that take the mail."""

import json
from typing import Final

from tests.functional.processes import free_port
from tests.functional.relaying import RelayTestCase, until
from tests.functional.server import RunningServer
from tests.functional.test_relay import MESSAGE, without_trace

ENTRIES: Final = {
    "sales@here.example": {
        "action": "alias",
        "to": ["alice", "bob@far.example", "carol@routed.example"],
    },
    "noreply": {"action": "drop"},
    "loop@here.example": {"action": "alias", "to": "loop@there.example"},
    "loop@there.example": {"action": "alias", "to": "loop@here.example"},
}


class AliasTests(RelayTestCase):
    """A server that takes mail of strangers, and knows who gets it."""

    def site(self, *routes: str, **files: str) -> RunningServer:
        """
        A server with the entries.

        @param routes: lines of C{rcpt_to.routes.ini}.
        @param files: others, by name within C{config/}.
        """
        return self.start(
            {
                "config/plugins": "aliases\nrecipient-routes\n"
                "rcpt_to.in_host_list\nqueue/maildir\n",
                "config/maildir.ini": "path=maildir/{domain}/{user}\n",
                "config/aliases.json": json.dumps(ENTRIES),
                "config/rcpt_to.routes.ini": "\n".join(("[routes]", *routes)),
                **{f"config/{name}": text for name, text in files.items()},
            }
        )

    async def test_everywhere(self) -> None:
        """
        One alias, three people: one has a Maildir here, the others' mail goes to their
        hosts, one of which speaks LMTP.
        """
        far, routed = await self.sink(), await self.sink()
        server = self.site(
            f"bob@far.example={far.where}", f"routed.example=lmtp://{routed.where}"
        )
        await self.submit(server, ("sales@here.example",), MESSAGE)
        await self.emptied(server)
        (here,) = server.delivered("maildir/here.example/alice")
        self.assertEqual(without_trace(here), MESSAGE)
        self.assertEqual(far.recipients(), ["bob@far.example"])
        self.assertEqual(routed.recipients(), ["carol@routed.example"])
        for sink in far, routed:
            self.assertEqual(without_trace(sink.taken[0].octets), MESSAGE)
            self.assertEqual(sink.taken[0].sender, "alice@client.example")

    async def test_dropped(self) -> None:
        """A recipient who wants no mail gets none, and costs nobody else theirs."""
        server = self.site()
        recipients = ("noreply+1@here.example", "bob@here.example")
        await self.submit(server, recipients, MESSAGE)
        self.assertEqual(len(server.delivered("maildir/here.example/bob")), 1)
        self.assertEqual(server.delivered("maildir/here.example/noreply+1"), [])

    async def test_routes_only(self) -> None:
        """
        A gateway with routes alone: each address goes to its host, and a stranger gets
        nobody else's mail there.
        """
        store, trap = await self.sink(), await self.sink()
        server = self.site(
            f"here.example={store.where}",
            f"spam@here.example={trap.where}",
            plugins="recipient-routes\n",
        )
        recipients = tuple(f"{name}@here.example" for name in ("a", "spam", "b"))
        await self.submit(server, recipients, MESSAGE)
        await self.emptied(server)
        self.assertEqual(store.recipients(), ["a@here.example", "b@here.example"])
        self.assertEqual(trap.recipients(), ["spam@here.example"])
        client = await self.greeted(server)
        client.say("MAIL FROM:<a@client.example>", "RCPT TO:<u@victim.example>")
        self.assertEqual(await client.codes(2), [250, 550])

    async def test_fan_out(self) -> None:
        """
        Lists of a thousand, asked for again and again (row 23): each person is on the
        message once, and when there are too many the rest is asked to come later.
        """
        lists = {
            f"list{number}": {
                "action": "alias",
                "to": [f"user{number}.{each}" for each in range(1000)],
            }
            for number in range(7)
        }
        server = self.site(**{"aliases.json": json.dumps(lists)})
        client = await self.greeted(server)
        await client.ask("MAIL FROM:<a@client.example>")
        for _ in range(50):
            client.say(*[f"RCPT TO:<list{n}@here.example>" for n in range(4)])
            self.assertEqual(await client.codes(4), [250] * 4)
        client.say(*[f"RCPT TO:<list{n}@here.example>" for n in (4, 5)])
        self.assertEqual(await client.codes(2), [452, 452])
        client.say("RSET", "MAIL FROM:<a@client.example>")
        self.assertEqual(await client.codes(2), [250, 250])
        said = await client.ask("RCPT TO:<list5@here.example>")
        self.assertEqual(said[:3], "250")

    async def test_lmtp(self) -> None:
        """
        A client that speaks LMTP has a reply for each recipient that it named, whatever
        became of them.
        """
        far = await self.sink()
        server = self.site(
            f"far.example={far.where}",
            f"routed.example={far.where}",
            **{"listeners.ini": "[127.0.0.1:0]\nprotocol=lmtp\n"},
        )
        client = await self.connect(server)
        await client.codes(1)
        await client.ask("LHLO client.example")
        named = ("sales@here.example", "noreply@here.example", "bob@here.example")
        client.say(
            "MAIL FROM:<a@client.example>", *(f"RCPT TO:<{each}>" for each in named)
        )
        self.assertEqual(await client.codes(4), [250] * 4)
        await client.ask("DATA")
        client.say("Subject: x", "", ".", "NOOP")
        self.assertEqual(await client.codes(4), [250] * 4)
        await self.emptied(server)
        everybody = ["bob@far.example", "carol@routed.example"]
        self.assertEqual(far.recipients(), everybody)
        for user, count in ("alice", 1), ("bob", 1), ("noreply", 0):
            delivered = server.delivered(f"maildir/here.example/{user}")
            self.assertEqual(len(delivered), count, user)

    async def test_loop(self) -> None:
        """
        Two servers that alias to each other (row 30): the message goes round until it
        has too many Received fields, and then its sender is told once, with 5.4.6.
        """
        home, port = await self.sink(), free_port()
        to_home = f"client.example={home.where}"
        received = {"connection.ini": "[headers]\nmax_received=10\n"}
        here = self.site(f"there.example=127.0.0.1:{port}", to_home, **received)
        there = self.site(
            f"here.example=127.0.0.1:{here.port}",
            to_home,
            **received,
            **{"host_list": "there.example\n", "smtp.ini": f"listen=127.0.0.1:{port}"},
        )
        await self.submit(here, ("loop@here.example",), MESSAGE)
        await until(lambda: home.taken)
        for server in here, there, here:
            await self.emptied(server)
        (report,) = home.taken
        self.assertEqual(report.sender, "")
        self.assertIn(b"Status: 5.4.6", report.octets)
