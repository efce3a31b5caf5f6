"""Row 26: one mailbox, read in two ways (CVE-2025-13033)."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from harakatw.address import parse_address
from harakatw.plugins._alias_table import make_alias_table
from harakatw.plugins.recipient_routes import make_route_table
from tests.abuse.names import MAILBOXES
from tests.log_events import collect_log
from tests.outbound.dsn.reports import make_report, parsed, told
from tests.outbound.post_office import PostOfficeTestCase
from tests.sessions import make_site


class OneMailboxTests(SynchronousTestCase):
    """Local parts that look like somebody else's address."""

    def test_session(self) -> None:
        """
        What RCPT took is one mailbox of ours: to plugins, in the trace field, in the
        queue plugin and in the log.
        """
        events = collect_log(self)
        for written, local in MAILBOXES:
            site = make_site()
            site.greet()
            address = f"{local}@here.example"
            said = site.client.ask(
                "MAIL FROM:<a@client.example>", f"RCPT TO:<{written}@here.example>"
            )
            self.assertIn("250 2.1.5", said, written)
            (recipient,) = site.connection.transaction.rcpt_to
            self.assertEqual(recipient.address, address)
            site.client.ask("DATA")
            site.client.ask("Subject: x", "", ".")
            (message,) = site.mailbox.messages
            self.assertEqual(message.recipients, (address,))
            self.assertIn(f"\tfor <{address}>;".encode(), message.octets)
            logged = [e for e in events if "rcpts" in e]
            self.assertIn(address, str(logged[-1]["rcpts"]))

    def test_again(self) -> None:
        """Read again, as from the queue, it is the same."""
        for written, local in MAILBOXES:
            first = parse_address(f"<{written}@here.example>", utf8=False)
            self.assertEqual(first.address, f"{local}@here.example")
            again = parse_address(first.format(), utf8=False)
            self.assertEqual((again.user, again.host), (first.user, first.host))
            self.assertEqual(again.address, first.address)

    def test_tables(self) -> None:
        """
        Routes and aliases of the mailbox that it looks like are not its own; its own
        are found however it is written.
        """
        victims: dict[str, Any] = {
            f"{user}@{host}": {"action": "drop"}
            for user in ("x", "y")
            for host in ("victim.example", "here.example")
        }
        hops = dict.fromkeys(victims, "192.0.2.1")
        for written, local in MAILBOXES:
            recipient = parse_address(f"{written}@here.example", utf8=False)
            aliases = make_alias_table(victims, "")
            self.assertIsNone(aliases.find(recipient), written)
            self.assertIsNone(make_route_table(hops).find(recipient), written)
            own = f"{local}@here.example"
            aliases = make_alias_table({own: {"action": "drop"}}, "")
            self.assertIsNotNone(aliases.find(recipient), written)
            self.assertEqual(make_route_table({own: "mx"}).find(recipient), "mx")


class OutboundMailboxTests(PostOfficeTestCase):
    """The same on the way out."""

    def test_report(self) -> None:
        """A report names the mailbox that failed, and no other."""
        for _, local in MAILBOXES:
            address = f"{local}@far.example"
            outcome = told(address)
            report = parsed(make_report(outcome))
            status = list(report.iter_parts())[1].as_string()
            self.assertIn(f"Final-Recipient: rfc822; {address}\n", status)

    def test_delivered(self) -> None:
        """The next host is told the mailbox as RCPT took it."""
        post = self.office()
        addresses = {f"{local}@far.example" for _, local in MAILBOXES}
        for address in sorted(addresses):
            post.send(address)
        post.run(60)
        taken = {each for got in post.first.taken for each in got.recipients}
        self.assertEqual(taken, addresses)
