"""Which hosts of a domain are asked, and when there is an end to it."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import attrs
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from harakatw.errors import StoreError
from harakatw.interfaces.queue import QueuedRecipient
from harakatw.outbound.attempt import AttemptResult, Contact
from harakatw.outbound.call_off import CallOff
from harakatw.outbound.client.envelope import Envelope
from harakatw.outbound.client.tls_rules import NO_TLS, OPPORTUNISTIC, TLSPolicy
from harakatw.outbound.hop import Hop
from harakatw.outbound.pool import ClientPool
from harakatw.outbound.walk import MAX_HOSTS, Walk
from harakatw.reply import reply
from tests.outbound.client.peers import envelope
from tests.outbound.hosts import GONE, Host, Net

ONE, TWO = "192.0.2.1", "192.0.2.2"


@attrs.frozen
class Hops:
    """
    Hosts in order.

    @ivar waits: what the look-up of the last one waits for.
    """

    ips: tuple[str, ...]
    waits: "Deferred[None] | None" = None

    async def __aiter__(self) -> AsyncIterator[Hop]:
        """One after the other."""
        for ip in self.ips:
            if self.waits is not None and ip == self.ips[-1]:
                await self.waits
            yield hop(ip)


@attrs.define(eq=False)
class Reread:
    """
    A body in a file.

    @ivar octets: what it has.
    @ivar times: how often it was read.
    @ivar breaks_at: which time it cannot be read to its end; 0 is never.
    """

    octets: bytes
    breaks_at: int = 0
    times: int = 0

    def __iter__(self) -> Iterator[bytes]:
        """Read it anew."""
        self.times += 1
        yield self.octets
        if self.times == self.breaks_at:
            raise StoreError("the disk is broken")


def hop(ip: str) -> Hop:
    """A host by its address."""
    return Hop(host=f"mx{ip[-1]}.example", ip=ip)


def told(result: AttemptResult) -> str:
    """All that became of the recipients, in one line."""
    words = [f"{each.address[0]}+" for each in result.delivered]
    words += [f"{each.recipient.address[0]}!{each.said}" for each in result.failed]
    words += [f"{each.recipient.address[0]}~{each.said}" for each in result.deferred]
    return "; ".join(words)


class WalkTestCase(SynchronousTestCase):
    """A test with two hosts."""

    def setUp(self) -> None:
        """Both take mail."""
        self.clock = Clock()
        self.net = Net(self.clock)
        self.one, self.two = self.net.host(ONE), self.net.host(TWO)
        self.pool = ClientPool(self.net.connect, self.net.policy_for)

    def start(
        self,
        *recipients: str,
        hops: Hops | None = None,
        call_off: CallOff | None = None,
        **fields: Any,
    ) -> "tuple[Deferred[AttemptResult], list[Any]]":
        """Begin an attempt; what it comes to appears in the list."""
        message: Envelope = envelope(*recipients, **fields)
        guard = call_off or CallOff()
        walk = Walk(self.pool, message, call_off=guard)
        done: list[Any] = []
        attempt = guard.watch(walk.run(hops or Hops((ONE, TWO))))
        return attempt.addBoth(done.append), done

    def go(
        self, *recipients: str, hops: Hops | None = None, **fields: Any
    ) -> AttemptResult:
        """Make an attempt."""
        _, done = self.start(*recipients, hops=hops, **fields)
        self.clock.pump([0.001] * 200)
        (result,) = done
        assert isinstance(result, AttemptResult), result
        return result

    def without(self, ip: str) -> None:
        """There is nobody at an address."""
        del self.net.hosts[ip]


class NextHostTests(WalkTestCase):
    """Another host is asked if this one cannot help now, and only then."""

    def test_first(self) -> None:
        """A host that takes the message is the last that is asked."""
        result = self.go("d@e.example")
        self.assertEqual(told(result), "d+")
        self.assertEqual(self.net.tried, [ONE])
        self.assertIs(result.contact, Contact.ANSWERED)
        assert result.peer is not None and result.response is not None
        self.assertEqual(result.peer.host, "mx1.example")
        self.assertEqual(result.response.reply.code, 250)

    def test_unreachable(self) -> None:
        """A host that refuses the connection is passed over."""
        self.without(ONE)
        self.assertEqual(told(self.go()), "d+")
        self.assertEqual(self.net.tried, [ONE, TWO])

    def test_nobody(self) -> None:
        """If none can be reached the mail waits, and the site counts as down."""
        self.net.hosts.clear()
        result = self.go()
        self.assertEqual(
            told(result),
            "d~451 4.4.1 Cannot connect: the host refuses the connection",
        )
        self.assertIs(result.contact, Contact.FAILED)

    def test_answers(self) -> None:
        """
        A greeting of 4xx or 5xx, and a 4xx to EHLO, MAIL, DATA or the message, leave
        the message to the next host (weakness WK08); so does a connection that is lost.
        """
        for words in (
            {"greeting": b"421 busy"},
            {"greeting": b"554 no mail here"},
            {"ehlo": b"451 later"},
            {"ehlo": b"554 go away", "helo": b"554 go away"},
            {"mail": b"451 later"},
            {"mail": b"421 closing"},
            {"mail": GONE},
            {"rcpt": GONE},
            {"data": b"451 later"},
            {"dot": b"451 later"},
            {"dot": b"452 full"},
        ):
            self.setUp()
            self._say(self.one, words)
            self.assertEqual(told(self.go()), "d+", words)
            self.assertEqual(self.net.tried, [ONE, TWO], words)
            self.assertEqual(self.one.taken, [], words)
            self.assertEqual(self.two.recipients, ["d@e.example"], words)

    def _say(self, host: Host, words: dict[str, bytes]) -> None:
        words = dict(words)
        host.greeting = words.pop("greeting", host.greeting)
        dot = words.pop("dot", b"250 ok")
        host.take = lambda taken: dot
        host.refuse(**words)

    def test_final(self) -> None:
        """
        A 5xx to MAIL, DATA or the message is final: the hosts of a domain are one. So
        is, for now, a connection that is lost after the end of the message, since the
        host may have taken it (RFC 1047).
        """
        for words, expected in (
            ({"mail": b"550 5.7.1 spam"}, "d!550 5.7.1 spam"),
            ({"data": b"554 5.7.1 spam"}, "d!554 5.7.1 spam"),
            ({"dot": b"554 5.6.0 spam"}, "d!554 5.6.0 spam"),
            ({"rcpt": b"550 5.1.1 who"}, "d!550 5.1.1 who"),
            ({"rcpt": b"450 4.2.1 grey"}, "d~450 4.2.1 grey"),
            (
                {"dot": GONE},
                "d~451 4.4.2 The connection was lost before the reply to the end of"
                " the message",
            ),
        ):
            self.setUp()
            self._say(self.one, words)
            self.assertEqual(told(self.go()), expected)
            self.assertEqual(self.net.tried, [ONE], words)

    def test_tls_required(self) -> None:
        """A host without the TLS that the postmaster demands is passed over."""
        self.net.policy = TLSPolicy(required=True)
        result = self.go()
        self.assertIn("d~451 4.7.4 TLS is required", told(result))
        self.assertEqual(self.net.tried, [ONE, TWO])
        self.assertNotIn(b"MAIL", self.one.commands + self.two.commands)

    def test_tls_required_and_broken(self) -> None:
        """Nor is a host tried in clear whose TLS is broken."""
        self.net.policy = TLSPolicy(required=True)
        self.one.offers = (b"STARTTLS",)
        result = self.go()
        self.assertIn("d~451 4.7.", told(result))
        self.assertEqual(self.net.tried, [ONE, TWO])
        self.assertTrue(self.one.commands.endswith(b"STARTTLS\r\n"))

    def test_tls_optional(self) -> None:
        """
        With TLS that is only used if it works, the same host is tried in clear when it
        does not.
        """
        self.net.policy = OPPORTUNISTIC
        self.one.offers = (b"STARTTLS",)
        self.assertEqual(told(self.go()), "d+")
        self.assertEqual(self.net.tried, [ONE, ONE])
        self.assertEqual(self.net.policies, [OPPORTUNISTIC, NO_TLS])

    def test_many(self) -> None:
        """An attempt does not go through hundreds of hosts that are not there."""
        self.net.hosts.clear()
        hops = Hops(tuple(f"198.51.100.{number}" for number in range(50)))
        self.assertIn("d~451", told(self.go(hops=hops)))
        self.assertEqual(len(self.net.tried), MAX_HOSTS)

    def test_none(self) -> None:
        """Where there is no host to try, whoever has looked for them says why."""
        walk = Walk(self.pool, envelope())
        run = Deferred.fromCoroutine(walk.run(Hops(())))
        self.successResultOf(run)
        self.assertTrue(walk.is_untried)
        why = reply(550, "5.1.2", "no such domain")
        self.assertEqual(told(walk.result(why)), "d!550 5.1.2 no such domain")


class RecipientTests(WalkTestCase):
    """Each recipient has a fate of its own."""

    def test_three(self) -> None:
        """One gets it, one has to wait, one does not exist: nobody else is asked."""
        said = {b"b@e.example": b"450 4.2.1 grey", b"c@e.example": b"550 5.1.1 who"}
        self.one.object_to = lambda line: said.get(line[9:-1])
        result = self.go("a@e.example", "b@e.example", "c@e.example")
        self.assertEqual(told(result), "a+; c!550 5.1.1 who; b~450 4.2.1 grey")
        self.assertEqual(self.net.tried, [ONE])
        (failed,) = result.failed
        assert failed.peer is not None
        self.assertEqual(failed.peer.host, "mx1.example")

    def test_rest(self) -> None:
        """
        The next host is given only those whom the first has neither refused nor put
        off, and what it says of them counts.
        """
        said = {b"b@e.example": b"450 4.2.1 grey", b"c@e.example": b"550 5.1.1 who"}
        self.one.object_to = lambda line: said.get(line[9:-1])
        self.one.take = lambda taken: b"451 later"
        result = self.go("a@e.example", "b@e.example", "c@e.example")
        self.assertEqual(told(result), "a+; c!550 5.1.1 who; b~450 4.2.1 grey")
        self.assertEqual(self.two.recipients, ["a@e.example"])
        assert result.peer is not None
        self.assertEqual(result.peer.host, "mx2.example")

    def test_lmtp(self) -> None:
        """A mail store answers for each; who was put off is tried at the next."""
        lmtp = attrs.evolve(hop(ONE), using_lmtp=True, port=24)
        self.one.take = lambda taken: b"250 ok\r\n451 later\r\n550 5.2.2 full"

        class LMTPHops(Hops):
            async def __aiter__(self) -> AsyncIterator[Hop]:
                yield lmtp
                yield hop(TWO)

        result = self.go("a@e.example", "b@e.example", "c@e.example", hops=LMTPHops(()))
        self.assertEqual(told(result), "a+; b+; c!550 5.2.2 full")
        self.assertEqual(self.two.recipients, ["b@e.example"])


class LastWordTests(WalkTestCase):
    """Final is what no host will ever take."""

    REFUSAL = b"554 5.3.2 no mail here"

    def test_all_refuse(self) -> None:
        """If every host says that it takes no mail, the message bounces."""
        self.one.greeting = self.two.greeting = self.REFUSAL
        self.assertEqual(told(self.go()), "d!554 5.3.2 no mail here")

    def test_one_is_away(self) -> None:
        """It does not while one of them is only out of order, whichever that is."""
        for away in (ONE, TWO):
            self.setUp()
            self.one.greeting = self.two.greeting = self.REFUSAL
            self.without(away)
            self.assertIn("d~451 4.4.1", told(self.go()))

    def test_too_large(self) -> None:
        """A message that is too large for every host bounces at once."""
        self.one.offers = self.two.offers = (b"SIZE 10",)
        result = self.go(size=1000, body=b"x" * 998 + b"\r\n")
        self.assertIn("d!552 5.3.4", told(result))
        self.assertNotIn(b"MAIL", self.one.commands)

    def test_too_large_for_one(self) -> None:
        """For one host only: the other gets it."""
        self.one.offers = (b"SIZE 10",)
        result = self.go(size=1000, body=b"x" * 998 + b"\r\n")
        self.assertEqual(told(result), "d+")

    def test_too_large_and_away(self) -> None:
        """The other is out of order, or says "later": it may take it tomorrow."""
        self.one.offers = (b"SIZE 10",)
        self.without(TWO)
        self.assertIn("d~451 4.4.1", told(self.go()))
        self.setUp()
        self.one.refuse(mail=b"451 4.3.0 later")
        self.two.offers = (b"SIZE 10",)
        self.assertEqual(told(self.go()), "d~451 4.3.0 later")


class BodyTests(WalkTestCase):
    """Messages that are read from a file."""

    OCTETS = b"Subject: big\r\n\r\n" + (b"y" * 98 + b"\r\n") * 6000

    def test_again(self) -> None:
        """The next host gets all of it though the one before has read it, too."""
        self.one.take = lambda taken: b"451 4.3.0 later"
        body = Reread(self.OCTETS)
        result = self.go(body=body, size=len(self.OCTETS))
        self.assertEqual(told(result), "d+")
        self.assertEqual(body.times, 2)
        self.assertEqual([each.octets for each in self.two.taken], [self.OCTETS])

    def test_used_up(self) -> None:
        """A body that can be read once only is never taken for an empty one."""
        self.one.take = lambda taken: b"451 4.3.0 later"
        _, done = self.start(body=iter((self.OCTETS,)), size=len(self.OCTETS))
        self.clock.pump([0.001] * 200)
        self.assertTrue(done[0].check(StoreError), done)
        self.assertEqual(self.two.taken, [])

    def test_unreadable(self) -> None:
        """A file that breaks off is an error, and nobody gets half a message."""
        body = Reread(self.OCTETS, breaks_at=1)
        _, done = self.start(body=body, size=len(self.OCTETS))
        self.clock.pump([0.001] * 200)
        self.assertTrue(done[0].check(StoreError), done)
        self.assertEqual(self.one.taken + self.two.taken, [])


class ReuseTests(WalkTestCase):
    """Connections that waited."""

    def test_used(self) -> None:
        """The next message takes the connection of the one before."""
        self.go()
        self.go()
        self.assertEqual(self.net.tried, [ONE])
        self.assertEqual(len(self.one.taken), 2)

    def test_closed_meanwhile(self) -> None:
        """
        A host that closes a connection just when it is to be used says nothing about
        the message: the same host is connected to again.
        """
        self.go()
        answers = [b"421 4.4.2 you were idle", None]
        self.one.object_to = lambda line: answers.pop(0) if line[:1] == b"M" else None
        self.assertEqual(told(self.go()), "d+")
        self.assertEqual(self.net.tried, [ONE, ONE])
        self.assertEqual(self.two.taken, [])

    def test_not_given_back(self) -> None:
        """A host that closes right away gets no second message on that connection."""
        self.one.object_to = lambda line: b"421 bye" if line[:4] == b"MAIL" else None
        self.go()
        self.assertIsNone(self.pool.idle(hop(ONE)))


class CallOffTests(WalkTestCase):
    """An attempt is called off: the server stops, say."""

    def test_connecting(self) -> None:
        """While it connects: no other host is tried."""
        self.one.is_silent = True
        attempt, done = self.start()
        self.clock.pump([0.001] * 10)
        attempt.cancel()
        self.assertIn("d~451 4.3.2 The attempt was called off", told(done[0]))
        self.clock.pump([0.001] * 50)
        self.assertEqual(self.net.tried, [ONE])

    def test_sending(self) -> None:
        """While a host is being told: the connection is dropped, and no other tried."""
        self.one.refuse(data=b"354-")  # a reply without an end
        attempt, done = self.start()
        self.clock.pump([0.001] * 20)
        self.assertEqual(done, [])
        attempt.cancel()
        self.assertIn("d~451 4.3.2 The attempt was called off", told(done[0]))
        self.assertTrue(self.net.lines[0].aborted)
        self.clock.pump([0.001] * 50)
        self.assertEqual(self.net.tried, [ONE])

    def test_looking_up(self) -> None:
        """
        While the next host's address is looked up: what the first has said stays said.
        """
        said = {b"b@e.example": b"550 5.1.1 who"}
        self.one.object_to = lambda line: said.get(line[9:-1])
        self.one.take = lambda taken: b"451 4.3.0 later"
        attempt, done = self.start(
            "a@e.example", "b@e.example", hops=Hops((ONE, TWO), Deferred())
        )
        self.clock.pump([0.001] * 20)
        attempt.cancel()
        self.assertEqual(told(done[0]), "b!550 5.1.1 who; a~451 4.3.0 later")
        self.assertEqual(self.net.tried, [ONE])

    def test_nothing_yet(self) -> None:
        """Before the first host: that says nothing about the site."""
        attempt, done = self.start(hops=Hops((ONE,), Deferred()))
        attempt.cancel()
        self.assertIs(done[0].contact, Contact.NONE)
        self.assertIn("called off", told(done[0]))
        self.assertEqual(self.net.tried, [])

    def test_taken_already(self) -> None:
        """Who has got it has got it: only the rest is tried again."""
        self.one.take = lambda taken: b"250 ok\r\n451 later"
        lmtp = attrs.evolve(hop(ONE), using_lmtp=True)

        class LMTPHops(Hops):
            async def __aiter__(self) -> AsyncIterator[Hop]:
                yield lmtp
                yield hop(TWO)

        self.two.is_silent = True
        attempt, done = self.start("a@e.example", "b@e.example", hops=LMTPHops(()))
        self.clock.pump([0.001] * 30)
        self.assertEqual(self.net.tried, [ONE, TWO])
        attempt.cancel()
        (result,) = done
        self.assertEqual(
            result.delivered, (QueuedRecipient("a@e.example"),), told(result)
        )
        self.assertEqual(told(result), "a+; b~451 later")
