"""Connections that wait for another message."""

from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from harakatw.outbound.client.protocol import SMTPClient
from harakatw.outbound.client.timeouts import ClientOptions
from harakatw.outbound.client.tls_rules import NO_TLS, OPPORTUNISTIC
from harakatw.outbound.hop import Hop
from harakatw.outbound.pool import ClientPool
from tests.outbound.client.peers import envelope
from tests.outbound.hosts import Net

HOP = Hop(host="mx1.example", ip="192.0.2.1")


class PoolTestCase(SynchronousTestCase):
    """A test with a pool and hosts."""

    def setUp(self) -> None:
        """There is one host."""
        self.clock = Clock()
        self.net = Net(self.clock, ClientOptions(messages_per_connection=3))
        self.net.host(HOP.ip)
        self.pool = ClientPool(self.net.connect, self.net.policy_for)

    def client(self, hop: Hop = HOP) -> SMTPClient:
        """A new connection."""
        self.net.host(hop.ip)
        connecting = self.pool.connect(hop)
        self.clock.pump([0.001] * 10)
        return self.successResultOf(connecting)

    def deliver(self, client: SMTPClient) -> None:
        """Send a message over it."""
        delivery = client.deliver(envelope())
        self.clock.pump([0.001] * 10)
        self.assertTrue(self.successResultOf(delivery).delivered)


class PoolTests(PoolTestCase):
    """Which connections are used again."""

    def test_empty(self) -> None:
        """None is there at the start."""
        self.assertIsNone(self.pool.idle(HOP))

    def test_again(self) -> None:
        """What is given back is had again, by one at a time and for that host only."""
        client = self.client()
        self.pool.give_back(HOP, client)
        self.assertIsNone(self.pool.idle(Hop(host="mx2.example", ip="192.0.2.1")))
        self.assertIs(self.pool.idle(HOP), client)
        self.assertIsNone(self.pool.idle(HOP))

    def test_latest_first(self) -> None:
        """The one that waited least is used, so that the others may end."""
        one, other = self.client(), self.client()
        self.pool.give_back(HOP, one)
        self.pool.give_back(HOP, other)
        self.assertIs(self.pool.idle(HOP), other)
        self.assertIs(self.pool.idle(HOP), one)

    def test_closed(self) -> None:
        """One that the host has closed meanwhile is passed over."""
        one, other = self.client(), self.client()
        self.pool.give_back(HOP, one)
        self.pool.give_back(HOP, other)
        self.net.lines[1].hang_up()
        self.clock.advance(0.01)
        self.assertIs(self.pool.idle(HOP), one)

    def test_busy(self) -> None:
        """One that is not done is not kept."""
        client = self.client()
        client.deliver(envelope())
        self.pool.give_back(HOP, client)
        self.assertIsNone(self.pool.idle(HOP))

    def test_many_messages(self) -> None:
        """C{messages_per_connection} is heeded: then it says QUIT."""
        client = self.client()
        for _ in range(3):
            self.deliver(client)
        self.pool.give_back(HOP, client)
        self.assertIsNone(self.pool.idle(HOP))
        self.clock.advance(0.01)
        self.assertTrue(self.net.host(HOP.ip).commands.endswith(b"QUIT\r\n"))

    def test_less_for_a_site(self) -> None:
        """A site that wants less gets less."""
        client = self.client()
        self.deliver(client)
        self.pool.give_back(HOP, client, 2)
        self.assertIs(self.pool.idle(HOP), client)
        self.deliver(client)
        self.pool.give_back(HOP, client, 2)
        self.assertIsNone(self.pool.idle(HOP))
        self.clock.advance(0.01)
        self.assertTrue(self.net.host(HOP.ip).commands.endswith(b"QUIT\r\n"))

    def test_policy(self) -> None:
        """A connection is encrypted as the hop wants, unless its caller says how."""
        self.net.policy = OPPORTUNISTIC
        self.pool.connect(HOP)
        self.pool.connect(HOP, NO_TLS)
        self.assertEqual(self.net.policies, [OPPORTUNISTIC, NO_TLS])


class MemoryTests(PoolTestCase):
    """Nothing is kept for ever."""

    def test_hosts_of_the_past(self) -> None:
        """
        After mail to thousands of hosts the pool does not remember those that have
        left.
        """
        pool: Any = self.pool
        for number in range(1000):
            hop = Hop(host="mx.example", ip=f"198.51.{number // 250}.{number % 250}")
            self.pool.give_back(hop, self.client(hop))
            self.net.lines[-1].hang_up()
            self.clock.advance(0.01)
        self.assertLess(len(pool._idle), 200)

    def test_last_message(self) -> None:
        """Nor a host whose connection had as many messages as it may have."""
        pool: Any = self.pool
        client = self.client()
        for _ in range(3):
            self.pool.give_back(HOP, client)
            self.assertIs(self.pool.idle(HOP), client)
            self.deliver(client)
        self.pool.give_back(HOP, client)
        self.assertEqual(pool._idle, {})


class CloseTests(PoolTestCase):
    """The end of a pool."""

    def test_close(self) -> None:
        """Those that wait say QUIT, and it is over when they are closed."""
        for _ in range(2):
            self.pool.give_back(HOP, self.client())
        closed = self.pool.close()
        self.assertNoResult(closed)
        self.clock.pump([0.001] * 10)
        self.successResultOf(closed)
        self.assertEqual(self.net.host(HOP.ip).commands.count(b"QUIT\r\n"), 2)
        self.assertIsNone(self.pool.idle(HOP))

    def test_silent_host(self) -> None:
        """A host that does not answer QUIT holds nobody up for more than 10 seconds."""
        self.pool.give_back(HOP, self.client())
        self.net.host(HOP.ip).is_silent = True
        self.net.host(HOP.ip).object_to = lambda line: b"250-"
        closed = self.pool.close()
        self.clock.advance(9)
        self.assertNoResult(closed)
        self.clock.pump([1, 1])
        self.successResultOf(closed)

    def test_after(self) -> None:
        """
        A connection that was in use meanwhile is closed when it is given back: other
        rules may hold by then.
        """
        client = self.client()
        self.successResultOf(self.pool.close())
        self.pool.give_back(HOP, client)
        self.assertIsNone(self.pool.idle(HOP))
        self.clock.advance(0.01)
        self.assertTrue(self.net.host(HOP.ip).commands.endswith(b"QUIT\r\n"))
