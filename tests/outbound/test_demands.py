"""What senders ask for with MAIL, from the client to the next host, in virtual time."""

from harakatw.interfaces.queue import Demands, ItemState
from harakatw.outbound.client.tls_rules import TLSPolicy
from harakatw.outbound.scheduler.core import Target
from harakatw.smtp.connection import TLS
from tests.outbound.post_office import ALICE, BOB, EPOCH, HOME, MESSAGE
from tests.outbound.submission import EngineTestCase

HOUR = 3600.0
_EVERYTHING = Target()


class DemandTestCase(EngineTestCase):
    """A client with demands, and an engine that it is connected to."""

    def ask_for(self, params: str, octets: bytes = MESSAGE) -> str:
        """Send Bob a message; returns the last reply."""
        client = self.client
        client.ask("EHLO client.example")
        said = client.ask(f"MAIL FROM:<{ALICE}> {params}", f"RCPT TO:<{BOB}>", "DATA")
        self.assertEqual(said.count("\r\n"), 3, said)
        client.send(octets + b".\r\n")
        return client.hear()

    def offer(self, *keywords: bytes) -> None:
        """The hosts of Bob's domain offer this besides."""
        for host in (self.post.first, self.post.second):
            host.offers += keywords

    def report(self) -> bytes:
        """What Alice is told, of one thing."""
        (report,) = self.post.reports()
        return report


class FutureReleaseTests(DemandTestCase):
    """Mail that is held until a time of its sender's choice (RFC 4865)."""

    def test_held(self) -> None:
        """It is queued at once, and tried when the time has come, not before."""
        self.start()
        self.assertIn("250 2.0.0", self.ask_for("HOLDFOR=7200"))
        self.post.run(7100)
        self.assertEqual(self.post.net.tried, [])
        (item,) = self.post.items()
        self.assertEqual((item.state, item.due), (ItemState.READY, EPOCH + 7200))
        self.post.run(200)
        self.assertEqual(self.post.first.recipients, [BOB])

    def test_until(self) -> None:
        """The same with a date; one that is over is no reason to wait."""
        for until, waits in (
            ("2023-11-14T23:13:20Z", True),
            ("2001-01-01T00:00:00Z", False),
        ):
            self.start()
            self.ask_for(f"HOLDUNTIL={until}")
            self.post.run(HOUR - 10)
            self.assertEqual(self.post.first.recipients, [] if waits else [BOB])
            self.post.run(20)
            self.assertEqual(self.post.first.recipients, [BOB])

    def test_lifetime(self) -> None:
        """While it is held it does not grow old, nor is it late."""
        self.start(max_lifetime=HOUR, delay_warning=HOUR / 2)
        self.ask_for("HOLDFOR=36000")
        self.post.first.refuse(mail=b"450 later")
        self.post.second.refuse(mail=b"450 later")
        self.post.run(36000 + 100)
        self.assertEqual(self.post.reports(), [])
        self.assertEqual(len(self.post.items()), 1)
        self.post.run(2 * HOUR)
        self.assertEqual(self.post.items(), ())

    def test_flush(self) -> None:
        """ETRN does not let it go early."""
        self.start()
        self.ask_for("HOLDFOR=7200")
        self.post.run(60)
        self.assertEqual(self.client.ask("ETRN far.example")[:3], "251")
        self.post.run(60)
        self.assertEqual(self.post.net.tried, [])


class DeliverByTests(DemandTestCase):
    """Mail that has to be there in time (RFC 2852)."""

    def defer(self) -> None:
        """No host of Bob's domain takes it for now."""
        self.offer(b"DELIVERBY")
        for host in (self.post.first, self.post.second):
            host.refuse(mail=b"450 4.2.1 busy")

    def test_passed_on(self) -> None:
        """The next host is told how much time is left."""
        self.start()
        self.offer(b"DELIVERBY")
        self.ask_for("BY=120;R")
        self.post.run()
        self.assertRegex(bytes(self.post.first.commands), rb" BY=1(20|19);R\r\n")
        self.assertEqual(self.post.reports(), [])

    def test_returned(self) -> None:
        """What is late comes back when it is late, with 5.4.7."""
        self.start(intervals=(50.0,) * 20)
        self.defer()
        self.ask_for("BY=120;R")
        self.post.run(110)
        self.assertEqual(self.post.reports(), [])
        self.post.run(20)
        report = self.report()
        self.assertIn(b"Action: failed\r\n", report)
        self.assertIn(b"Status: 5.4.7\r\n", report)
        self.assertIn(b"450 4.2.1 busy", report)
        self.assertEqual(self.post.items(), ())

    def test_reported(self) -> None:
        """With N the sender is told when it is late, and it is tried on."""
        self.start(intervals=(50.0,) * 20)
        self.defer()
        self.ask_for("BY=120;N")
        self.post.run(130)
        self.assertIn(b"Action: delayed\r\n", self.report())
        self.post.first.refuse()
        self.post.run(60)
        self.assertEqual(self.post.first.recipients, [BOB])
        self.assertEqual(len(self.post.reports()), 1)

    def test_not_offered(self) -> None:
        """A host without DELIVERBY cannot promise it: R comes back, N goes on."""
        self.start()
        self.ask_for("BY=120;R")
        self.post.run()
        self.assertEqual(self.post.first.recipients, [])
        self.assertIn(b"Status: 5.4.7\r\n", self.report())
        self.ask_for("BY=120;N")
        self.post.run()
        self.assertEqual(self.post.first.recipients, [BOB])

    def test_traced(self) -> None:
        """With T the sender is told that the next host has it."""
        self.start()
        self.offer(b"DELIVERBY", b"DSN")
        self.ask_for("BY=120;NT")
        self.post.run()
        self.assertIn(b"Action: relayed\r\n", self.report())


class PriorityTests(DemandTestCase):
    """Urgent mail (RFC 6710)."""

    def test_passed_on(self) -> None:
        """The next host is told, in MAIL if it can, and in the header."""
        for offers, line in (((), b""), ((b"MT-PRIORITY",), b" MT-PRIORITY=4\r\n")):
            self.start()
            self.offer(*offers)
            self.ask_for("MT-PRIORITY=4", b"MT-Priority: 9\r\n" + MESSAGE)
            self.post.run()
            self.assertIn(line, self.post.first.commands)
            (taken,) = self.post.first.taken
            self.assertIn(b"MT-Priority: 4\r\n", taken.octets)
            self.assertNotIn(b"MT-Priority: 9", taken.octets)

    def test_order(self) -> None:
        """At one site what is urgent goes first, what is not last."""
        self.start()
        scheduler = self.post.scheduler
        scheduler.pause(_EVERYTHING)
        order = (0, -4, 9, 0, 4, -9, 9)
        for number, priority in enumerate(order):
            octets = b"Subject: %d\r\n\r\n" % number
            self.ask_for(f"MT-PRIORITY={priority}", octets)
        self.post.first.offers = ()  # one message after the other
        scheduler.resume(_EVERYTHING)
        self.post.run(60)
        said = [taken.octets for taken in self.post.first.taken]
        subjects = [int(octets.partition(b"Subject: ")[2][:1]) for octets in said]
        wanted = sorted(range(len(order)), key=lambda number: -order[number])
        self.assertEqual(subjects, wanted)


class SecretTests(DemandTestCase):
    """Mail that goes only where it is kept secret (RFC 8689)."""

    def demand(self, octets: bytes = MESSAGE, params: str = "REQUIRETLS") -> None:
        """Send it, over what counts as TLS."""
        self.client.protocol.connection.tls = TLS(True, "AES")
        self.ask_for(params, octets)

    def test_returned(self) -> None:
        """Hosts without REQUIRETLS do not see it: it comes back with 5.7.30."""
        self.start()
        self.demand(params="REQUIRETLS RET=FULL")
        self.post.run()
        self.assertEqual(len(self.post.net.tried), 3)  # both hosts, and the report's
        self.assertEqual(self.post.first.recipients, [])
        report = self.report()
        self.assertIn(b"Status: 5.7.30\r\n", report)
        self.assertNotIn(b"Hello, Bob.", report)

    def test_sent(self) -> None:
        """A host that has it is told to go on like that."""
        self.start()
        self.offer(b"REQUIRETLS")
        self.demand()
        self.post.run()
        self.assertEqual(self.post.first.recipients, [BOB])
        self.assertIn(b" REQUIRETLS\r\n", self.post.first.commands)

    def test_no_tls(self) -> None:
        """Hosts that are not encrypted as wanted: 5.7.10, at once."""
        self.start()
        self.post.net.policy = TLSPolicy(required=True, verified=True)
        self.post.net.hosts[HOME].offers += (b"STARTTLS",)
        self.demand()
        self.post.run()
        (item,) = self.post.items()  # the report, for which there is no TLS here either
        self.assertEqual(item.message.sender, "")
        self.assertTrue(item.message.demands.requires_tls)
        self.assertEqual(self.post.first.commands[:4], b"EHLO")
        self.assertNotIn(b"MAIL", self.post.first.commands)

    def test_report(self) -> None:
        """The report is as secret as the message, and sent all the same."""
        self.start()
        self.post.home.offers += (b"REQUIRETLS",)
        self.demand()
        self.post.run()
        self.assertIn(b"MAIL FROM:<> REQUIRETLS\r\n", self.post.home.commands)

    def test_header(self) -> None:
        """TLS-Required: No is kept with the message (RFC 8689 section 3)."""
        self.start()
        self.ask_for("", b"TLS-Required: No\r\n" + MESSAGE)
        (item,) = self.post.items()
        self.assertEqual(item.message.demands, Demands(tls_is_optional=True))


class ETRNTests(DemandTestCase):
    """Mail that was tried in vain is tried now (RFC 1985)."""

    def test_flush(self) -> None:
        """A client that may relay asks for a domain, or for all below one."""
        self.start(intervals=(HOUR,) * 5)
        for node in ("far.example", "@example"):
            for host in (self.post.first, self.post.second):
                host.refuse(mail=b"450 busy")
            self.ask_for("SIZE=10")
            self.post.run(10)
            for host in (self.post.first, self.post.second):
                host.refuse()
            said = self.client.ask(f"ETRN {node}")
            self.assertEqual(said[:11], "253 2.0.0 1", said)
            self.post.run(10)
            self.assertEqual(self.post.items(), ())

    def test_others(self) -> None:
        """Another domain is not meant."""
        self.start(intervals=(HOUR,) * 5)
        self.post.first.refuse(mail=b"450 busy")
        self.post.second.refuse(mail=b"450 busy")
        self.ask_for("SIZE=10")
        self.post.run(10)
        for node in ("other.example", "@far.example", "ar.example"):
            said = self.client.ask(f"ETRN {node}")
            self.assertEqual(said[:3], "253" if node == "@far.example" else "251")

    def test_stopped(self) -> None:
        """Without a scheduler nothing can be tried: 458."""
        self.start()
        self.client.ask("EHLO client.example")
        self.post.engine.scheduler = None
        self.assertEqual(self.client.ask("ETRN far.example")[:3], "458")
