"""Encryption of outbound mail, from C{tls.ini} to the connections."""

from typing import Any

import attrs

from harakatw.errors import ConfigError
from harakatw.outbound.hop import Hop
from tests.process.outbounds import RELAY, OutboundTestCase


class TLSTests(OutboundTestCase):
    """C{tls.ini}."""

    def policy(self, **files: str) -> tuple[bool, bool]:
        """Is TLS required for mail to C{far.example}, and a certificate?"""
        outbound: Any = self.engine(self.settings(None, **files))
        router = outbound._courier.router
        route = router.route("far.example", RELAY)
        (hop,) = route.ranks[0].hops
        policy = outbound._policy(attrs.evolve(hop, ip="192.0.2.9"))
        return policy.required, policy.verified

    def test_forced_domain(self) -> None:
        """
        A recipient domain in C{force_tls_hosts} is one in whatever case it is written,
        and wherever its mail is sent: it goes over TLS with a valid certificate.
        """
        self.assertEqual(self.policy(), (False, False))
        for written in ("far.example", "Far.Example", "far.example."):
            ini = f"[outbound]\nforce_tls_hosts[]={written}\n"
            self.assertEqual(self.policy(tls_ini=ini), (True, True), written)
        ini = "[outbound]\nforce_tls_hosts[]=other.example\n"
        self.assertEqual(self.policy(tls_ini=ini), (False, False))

    def test_own_connections(self) -> None:
        """Mail of such a domain does not use the connections of others."""
        ini = "[outbound]\nforce_tls_hosts[]=Far.Example\n"
        outbound: Any = self.engine(self.settings(tls_ini=ini))
        router = outbound._courier.router
        hops = [
            router.route(domain, RELAY).ranks[0].hops
            for domain in ("far.example", "other.example")
        ]
        self.assertNotEqual(*hops)

    def test_bad_certificate(self) -> None:
        """
        A certificate that cannot be used is reported, all is as it was before, and the
        next change is heeded as if that one had not been.
        """
        before = self.settings()
        outbound = self.start(before)
        bad = self.settings(
            before,
            outbound_ini="disabled=true\nreceived_header=Other\n",
            tls_ini="[main]\nmutual_tls=true\n",
        )
        self.assertRaises(ConfigError, outbound.configure, bad)
        self.send(outbound)
        self.assertEqual(len(self.connections), 1)
        good = self.settings(bad, tls_ini="")
        outbound.configure(good)
        self.send(outbound)
        self.assertEqual(len(self.connections), 1)

    def test_connections_that_wait(self) -> None:
        """
        A connection that was opened under other rules takes no more mail: it is closed,
        at once or after the message that is on its way.
        """
        before = self.settings()
        outbound = self.start(before)
        self.send(outbound)
        waiting = self.host()
        waiting.take()
        hop = Hop(host="192.0.2.9", ip="192.0.2.9", port=2525)
        self.assertEqual(len(outbound.pool._idle[hop]), 1)
        waiting.line.clear()
        outbound.configure(before)
        self.assertEqual(waiting.line.value(), b"QUIT\r\n")
        self.send(outbound)
        busy = self.host()
        busy.say("220 hi")
        busy.say("250 hi")
        outbound.configure(before)
        busy.say("250 ok")
        busy.say("250 ok")
        busy.say("354 go")
        self.assertEqual(busy.say("250 taken"), "QUIT\r\n")
        self.assertEqual(outbound.pool._idle, {})
