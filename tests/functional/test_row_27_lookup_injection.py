"""Row 27 over the wire: names that are questions to whoever looks them up."""

from base64 import b64encode

from harakatw.interfaces.queue import Filter
from harakatw.outbound.control.grammar import parse_filter
from tests.abuse.inputs import LOOKUPS
from tests.functional.client import Client
from tests.functional.relaying import RelayTestCase
from tests.functional.server import ENVELOPE, INSTANCE, RunningServer, ServerTestCase

WITH_ACCESS = f"access\n{INSTANCE['config/plugins']}"

HOSTS = (
    "here.example'OR'1'='1",
    "%",
    "*",
    "here_example",
    "hereXexample",
    "%.example",
    "*.here.example",
    "evil.example/here.example",
    "x.sub.here.example.evil.example",
    "evil.example#x.sub.here.example",
)
"""Domains that are not ours, whatever the list of ours is looked up with."""

NODES = (
    b"#x',1);--",
    b"#far.example'); DROP TABLE items;--",
    b"far.example' OR 1=1--",
    b"far.example'--",
    b"%",
    b"far_example",
    b"*.example",
    b"@%",
    b"@*",
    b"far.exampl?",
    b"",
)
"""What ETRN is given instead of a domain."""


class LookupTests(ServerTestCase):
    """A list is asked for a name, and never takes it for a pattern or a statement."""

    async def codes_of(self, client: Client, verb: bytes) -> dict[bytes, int]:
        """What each name is answered as a user of ours; RSET comes between."""
        found = {}
        for local in LOOKUPS:
            client.say("RSET")
            if verb != b"MAIL FROM":
                client.say(ENVELOPE[0])
            client.say(verb + b":<" + local + b"@here.example>", "NOOP")
            *_, code, noop = await client.codes(3 + (verb != b"MAIL FROM"))
            self.assertEqual(noop, 250, local)
            found[local] = code
        return found

    async def test_access(self) -> None:
        """
        A list of those who may send has one name in it: none of the others gets through
        as that one. A list of those who may not has one: none of the others is taken
        for it.
        """
        for verb, kind in ((b"MAIL FROM", "mail_from"), (b"RCPT TO", "rcpt_to")):
            server = self.start(
                {
                    "config/plugins": WITH_ACCESS,
                    f"config/{kind}.access.whitelist": "b@here.example\n",
                    f"config/{kind}.access.blacklist_regex": r".*@here\.example" + "\n",
                }
            )
            client = await self.greeted(server)
            codes = await self.codes_of(client, verb)
            self.assertEqual(set(codes.values()), {550}, codes)
            lines = ("RSET", *ENVELOPE[: verb == b"RCPT TO"])
            client.say(*lines, verb + b":<b@here.example>")
            self.assertEqual((await client.codes(len(lines) + 1))[-1], 250)
            await server.stop()

    async def test_not_listed(self) -> None:
        """A list of those who may not send has one name: the others are not it."""
        for verb, kind in ((b"MAIL FROM", "mail_from"), (b"RCPT TO", "rcpt_to")):
            server = self.start(
                {
                    "config/plugins": WITH_ACCESS,
                    f"config/{kind}.access.blacklist": "b@here.example\n",
                }
            )
            codes = await self.codes_of(await self.greeted(server), verb)
            self.assertEqual(set(codes.values()), {250}, codes)
            await server.stop()

    async def test_host_list(self) -> None:
        """No domain is ours because it looks like a pattern of ours, or like SQL."""
        server = self.start(
            {
                "config/host_list": "here.example\n",
                "config/host_list_regex": r".*\.sub\.here\.example" + "\n",
            }
        )
        client = await self.greeted(server)
        client.say(ENVELOPE[0], "RCPT TO:<b@x.sub.here.example>")
        self.assertEqual(await client.codes(2), [250, 250])
        for host in HOSTS:
            answer = await client.ask(f"RCPT TO:<b@{host}>")
            self.assertIn(answer[:3], ("501", "550"), host)

    async def test_users(self) -> None:
        """Nobody logs in with a name that is a question, and then b still does."""
        server = self.start(
            {
                "config/plugins": f"auth/flat_file\n{INSTANCE['config/plugins']}",
                "config/auth.ini": "max_failures=0\nmax_delay=0\n",
                "config/auth_flat_file.ini": "[users]\nb={PLAIN}sesame\n",
            }
        )
        client = await self.greeted(server)
        for name in (*(local.strip(b'"') for local in LOOKUPS), b"", b"[users]", b"="):
            login = b64encode(b"\0" + name + b"\0sesame")
            answer = await client.ask(b"AUTH PLAIN " + login)
            self.assertIn(answer[:3], ("535", "501"), name)
        answer = await client.ask(b"AUTH PLAIN " + b64encode(b"\0b\0sesame"))
        self.assertEqual(answer[:3], "235")

    async def test_aliases(self) -> None:
        """No name is an alias because it looks like the key of one."""
        aliases = '{"b": {"action": "drop"}, "x@here.example": {"action": "drop"}}'
        server = self.start(
            {
                "config/plugins": f"aliases\n{INSTANCE['config/plugins']}",
                "config/aliases.json": aliases,
            }
        )
        for local in LOOKUPS:
            path = (b"RCPT TO:<" + local + b"@here.example>").decode()
            client = await self.in_data(server, ENVELOPE[0], path)
            self.assertEqual((await client.ask("", "x", "."))[:3], "250", local)
        self.assertEqual(len(server.delivered()), len(LOOKUPS))
        await self.send_message(server)
        self.assertEqual(len(server.delivered()), len(LOOKUPS))

    async def test_maildir(self) -> None:
        """Each name has a mailbox of its own, and nobody else's mail comes to it."""
        server = self.start(
            {"config/maildir.ini": "path=mail/{user}\ndelivered_to=true\n"}
        )
        for local in LOOKUPS:
            path = (b"RCPT TO:<" + local + b"@here.example>").decode()
            client = await self.in_data(server, ENVELOPE[0], path)
            self.assertEqual((await client.ask("", "x", "."))[:3], "250", local)
        boxes = list((server.directory / "mail").iterdir())
        self.assertEqual(len(boxes), len(LOOKUPS))
        self.assertEqual(len(server.delivered("mail/*")), len(LOOKUPS))


class QueueTests(RelayTestCase):
    """The queue is a database, which is asked for what strangers called themselves."""

    async def relay_of_all(self) -> RunningServer:
        """A server in whose queue there is a message of each name, to each name."""
        sink = await self.sink()
        sink.object_to = lambda line: b"451 later" if line[:4] == b"MAIL" else None
        server = self.relay({"any": sink.where})
        for local in LOOKUPS:
            name = local.decode()
            answer = await self.submit(
                server, (f"{name}@far.example",), b"x\r\n", f"{name}@client.example"
            )
            self.assertEqual(answer[:3], "250", local)
        await self.leaves(server, len(LOOKUPS))
        return server

    async def found(self, server: RunningServer, word: str) -> list[str]:
        """Who sent the items that a word of the queue's grammar means."""
        items = await self.queued(server, parse_filter([word]))
        return [item.message.sender for item in items]

    async def test_kept(self) -> None:
        """Every name comes out of the queue as it went in, and is found by itself."""
        server = await self.relay_of_all()
        items = await self.queued(server)
        senders = {item.message.sender for item in items}
        self.assertEqual(len(senders), len(LOOKUPS))
        for item in items:
            sender = item.message.sender
            (recipient,) = item.recipients
            self.assertEqual(
                recipient.address.rpartition("@")[0], sender.rpartition("@")[0]
            )
            exact = [each for each in senders if "*" not in sender and each == sender]
            if exact:
                self.assertEqual(await self.found(server, f"sender={sender}"), exact)

    async def test_filters(self) -> None:
        """
        A word that is a statement finds nothing, and changes nothing; only the star
        stands for more than itself.
        """
        server = await self.relay_of_all()
        for key in ("sender", "recipient", "domain", "error", "uuid", "site"):
            for value in ("' OR 1=1--", "%", "_", "x'; DROP TABLE items;--", "\\", '"'):
                self.assertEqual(await self.found(server, f"{key}={value}"), [], value)
        everything = await self.found(server, "sender=*@client.example")
        self.assertEqual(len(everything), len(LOOKUPS))
        drop = server.service.outbound.store.drop
        self.assertEqual(await drop(Filter(sender="' OR 1=1--")), 0)
        self.assertEqual(len(await self.queued(server)), len(LOOKUPS))

    async def test_etrn(self) -> None:
        """
        A queue is not named by a statement (CVE-2025-26794), and what is in it stays.
        """
        server = await self.relay_of_all()
        client = await self.greeted(server)
        for node in NODES:
            client.say(b"ETRN " + node, "NOOP")
            code, noop = await client.codes(2)
            self.assertIn(code, (251, 459, 501), node)
            self.assertEqual(noop, 250, node)
        self.assertEqual(len(await self.queued(server)), len(LOOKUPS))
        client.say("ETRN far.example")
        self.assertEqual(await client.codes(1), [253])
