"""From the greeting to the first message."""

import base64

from twisted.trial.unittest import SynchronousTestCase

from harakatw.errors import PermanentFailure, TemporaryFailure
from harakatw.observe.levels import LogSwitch
from harakatw.outbound.client.failures import HostFailure, HostRefusal
from harakatw.outbound.client.link import State
from harakatw.outbound.client.result import Peer as PeerValue
from harakatw.outbound.client.tls_rules import NO_TLS, OPPORTUNISTIC, TLSPolicy
from harakatw.outbound.hop import Hop
from harakatw.testing.threads import HeldThreads
from tests.outbound.client.peers import ALL, HOP, Peer, open_peer

REQUIRED = TLSPolicy(required=True)


def encoded(octets: bytes) -> str:
    """Base64, as in AUTH."""
    return base64.b64encode(octets).decode()


def auth_hop(**fields: str | bool) -> Hop:
    """A hop that wants authentication."""
    fields = {"auth_user": "joe", "auth_pass": "s3cret", **fields}
    return Hop(host="mx.example", ip="192.0.2.1", **fields)  # type: ignore[arg-type]


class OpeningTestCase(SynchronousTestCase):
    """A test of a connection that opens or does not."""

    def failure(self, peer: Peer) -> HostFailure:
        """Why the host cannot be used now; the connection is left."""
        error = peer.failure()
        assert isinstance(error, HostFailure), error
        self.assertTrue(peer.transport.closed)
        self.assertIsInstance(error, TemporaryFailure)
        return error


class GreetingTests(OpeningTestCase):
    """The first reply."""

    def test_silence(self) -> None:
        """Nothing is said before the greeting."""
        self.assertEqual(Peer().hear(), "")

    def test_hello(self) -> None:
        """We say who we are, and learn what the host offers."""
        peer = Peer()
        peer.say("220-mx.example", "220 hello")
        self.assertEqual(peer.hear(), "EHLO me.example\r\n")
        peer.say("250-mx.example", "250-PIPELINING", "250 SIZE 5")
        self.assertEqual(peer.opened, [peer.client])
        self.assertTrue(peer.client.is_free)
        self.assertTrue(peer.client.capabilities.pipelining)
        self.assertEqual(
            peer.client.peer,
            PeerValue(host="mx.example", ip="192.0.2.1", port=25, mode="ESMTP"),
        )

    def test_bind_helo(self) -> None:
        """A hop may have another name for us (row OB25)."""
        peer = Peer(Hop(host="mx.example", bind_helo="out.example"))
        peer.say("220 hi")
        self.assertEqual(peer.hear(), "EHLO out.example\r\n")

    def test_lmtp(self) -> None:
        """LMTP says LHLO, and there is no other way (RFC 2033)."""
        peer = Peer(Hop(path="/run/lmtp", using_lmtp=True))
        peer.say("220 hi")
        self.assertEqual(peer.hear(), "LHLO me.example\r\n")
        peer.say("500 what?")
        self.assertEqual(peer.hear(), "QUIT\r\n")
        self.assertIsInstance(peer.failure(), HostRefusal)

    def test_busy(self) -> None:
        """4xx: another host, or later (weakness WK08)."""
        peer = Peer()
        peer.say("421 4.3.2 too many connections")
        error = self.failure(peer)
        self.assertTrue(error.other_host)
        self.assertFalse(error.retry_in_clear)
        self.assertEqual(error.reply.encoded, b"421 4.3.2 too many connections\r\n")

    def test_no_mail(self) -> None:
        """5xx: permanent, unless another host of the domain helps (RFC 7504)."""
        peer = Peer()
        peer.say("554 no mail here")
        error = peer.failure()
        assert isinstance(error, HostRefusal)
        self.assertIsInstance(error, PermanentFailure)
        self.assertTrue(error.other_host)
        self.assertEqual(peer.hear(), "QUIT\r\n")
        self.assertTrue(peer.transport.closed)

    def test_nonsense(self) -> None:
        """A greeting that is no yes is an error of the host's."""
        peer = Peer()
        peer.say("354 go ahead")
        self.assertEqual(self.failure(peer).reply.enhanced, "4.5.0")

    def test_other_protocol(self) -> None:
        """What is no SMTP server is left at once (survey row 37)."""
        peer = Peer()
        peer.send(b"SSH-2.0-OpenSSH\r\n")
        self.assertIn("broke the protocol", self.failure(peer).reply.text)
        self.assertTrue(peer.transport.aborted)

    def test_long_banner(self) -> None:
        """A banner of ten thousand lines is not read to its end (survey row 37)."""
        peer = Peer()
        peer.send(b"220-hello\r\n" * 10_000)
        self.assertEqual(self.failure(peer).reply.enhanced, "4.5.0")

    def test_no_greeting(self) -> None:
        """A host has five minutes to greet; single lines do not prolong them."""
        peer = Peer()
        for _ in range(10):
            peer.clock.advance(29.9)
            peer.say("220-wait")
            self.assertEqual(peer.opened, [])
        peer.clock.advance(1.1)
        self.assertIn("too long: the greeting", self.failure(peer).reply.text)
        self.assertEqual(peer.clock.getDelayedCalls(), [])

    def test_lost(self) -> None:
        """A connection that closes at once is an error of the host's."""
        peer = Peer()
        peer.leave()
        error = peer.failure()
        assert isinstance(error, HostFailure)
        self.assertEqual(error.reply.enhanced, "4.4.2")
        self.assertTrue(error.other_host)
        self.assertEqual(peer.clock.getDelayedCalls(), [])

    def test_called_off(self) -> None:
        """Whoever waits may call it off."""
        peer = Peer()
        peer.client.opened.cancel()
        self.assertTrue(peer.transport.aborted)
        peer.leave()
        self.assertEqual(peer.clock.getDelayedCalls(), [])

    def test_quit_early(self) -> None:
        """A client that is told to leave before it is open does so."""
        peer = Peer()
        closed: list[None] = []
        peer.client.quit().addCallback(closed.append)
        self.assertIn("called off", self.failure(peer).reply.text)
        peer.leave()
        self.assertEqual(closed, [None])


class HelloTests(OpeningTestCase):
    """EHLO, and HELO for old servers (row OB28)."""

    def test_helo(self) -> None:
        """A server that does not know EHLO is told HELO, and offers nothing."""
        peer = Peer()
        peer.say("220 hi")
        peer.hear()
        peer.say("502 what?")
        self.assertEqual(peer.hear(), "HELO me.example\r\n")
        peer.say("250 mx.example")
        self.assertEqual(peer.opened, [peer.client])
        self.assertEqual(peer.client.peer.mode, "SMTP")

    def test_refused(self) -> None:
        """A server that takes neither is no use."""
        peer = Peer()
        peer.say("220 hi")
        peer.say("550 go away")
        peer.say("550 5.7.1 go away")
        self.assertIsInstance(peer.failure(), HostRefusal)

    def test_later(self) -> None:
        """4xx to EHLO: another host, or later."""
        peer = Peer()
        peer.say("220 hi")
        peer.say("451 not now")
        self.assertTrue(self.failure(peer).other_host)

    def test_no_way_round(self) -> None:
        """A host that must have TLS cannot get round it by refusing EHLO."""
        peer = Peer(policy=REQUIRED)
        peer.say("220 hi")
        peer.hear()
        peer.say("502 what?")
        self.assertEqual(peer.hear(), "QUIT\r\n")

    def test_two_answers(self) -> None:
        """A host that answers more than it was asked is out of step."""
        peer = Peer(policy=OPPORTUNISTIC)
        peer.say("220 hi")
        peer.say("250-mx", "250 STARTTLS", "220 go")
        self.assertIn("not asked", self.failure(peer).reply.text)


class StartTLSTests(OpeningTestCase):
    """STARTTLS."""

    def started(self, policy: TLSPolicy = OPPORTUNISTIC) -> Peer:
        """A peer that was told STARTTLS."""
        peer = Peer(policy=policy)
        peer.hello("STARTTLS", "AUTH PLAIN")
        return peer

    def test_begins(self) -> None:
        """Where TLS is offered it is used, with the host's name as SNI (row OB40)."""
        peer = Peer(policy=OPPORTUNISTIC)
        peer.say("220 hi")
        peer.hear()
        peer.say("250-mx", "250 STARTTLS")
        self.assertEqual(peer.hear(), "STARTTLS\r\n")
        peer.say("220 go")
        (handshake,) = peer.transport.handshakes
        self.assertEqual(handshake.names, ("mx.example",))
        self.assertFalse(handshake.must_verify)
        self.assertEqual((peer.hear(), peer.opened), ("", []))

    def test_not_wanted(self) -> None:
        """A host in C{no_tls_hosts} is spared."""
        peer = Peer(policy=NO_TLS)
        peer.hello("STARTTLS")
        self.assertEqual(peer.opened, [peer.client])

    def test_not_offered(self) -> None:
        """Without an offer mail goes in clear, unless TLS is required (OB36, WK42)."""
        self.assertTrue(open_peer().client.is_free)
        peer = Peer(policy=REQUIRED)
        peer.hello()
        error = self.failure(peer)
        self.assertEqual(error.reply.enhanced, "4.7.4")
        self.assertTrue(error.other_host)
        self.assertFalse(error.retry_in_clear)

    def test_refused(self) -> None:
        """A host that offers TLS and then has none gets mail in clear, or none."""
        for code in ("454", "502"):
            peer = self.started()
            peer.say(f"{code} no TLS now")
            self.assertEqual(peer.opened, [peer.client])
            peer = self.started(REQUIRED)
            peer.say(f"{code} no TLS now")
            self.assertEqual(self.failure(peer).reply.enhanced, "4.7.4")

    def test_injection(self) -> None:
        """
        What stands in clear behind the reply to STARTTLS ends the session: it is not
        taken for the server's word after the handshake (survey row 6, RFC 3207 section
        5).
        """
        for more in (b"250-x\r\n250 AUTH PLAIN\r\n", b"2", b"250 ok\r\n"):
            peer = self.started()
            peer.send(b"220 go\r\n" + more)
            self.assertIn("not asked", self.failure(peer).reply.text)
            self.assertEqual(peer.transport.handshakes, [])
            self.assertTrue(peer.transport.aborted)

    def test_broken(self) -> None:
        """
        A handshake that fails: the same host may be tried in clear, unless TLS or a
        certificate is asked for; nothing is remembered of it (WK43).
        """
        for policy, in_clear in (
            (OPPORTUNISTIC, True),
            (REQUIRED, False),
            (TLSPolicy(verified=True), False),
        ):
            peer = self.started(policy)
            peer.say("220 go")
            peer.leave()
            error = peer.failure()
            assert isinstance(error, HostFailure)
            self.assertEqual(error.retry_in_clear, in_clear)
            self.assertTrue(error.other_host)
            self.assertEqual(error.reply.enhanced, "4.7.5")

    def test_stalled(self) -> None:
        """A handshake that does not end is broken off (survey row 38)."""
        peer = self.started()
        peer.say("220 go")
        peer.clock.advance(121)
        self.assertTrue(self.failure(peer).retry_in_clear)
        self.assertIn("handshake", self.failure(peer).reply.text)

    def test_implicit(self) -> None:
        """With C{smtps://} TLS comes before the greeting."""
        peer = Peer(Hop(host="mx.example", implicit_tls=True), REQUIRED)
        self.assertEqual(len(peer.transport.handshakes), 1)
        self.assertEqual(peer.hear(), "")


class AuthTests(OpeningTestCase):
    """AUTH: it succeeds, or nothing is sent (WK33)."""

    def test_plain(self) -> None:
        """PLAIN where the hop allows it in clear."""
        peer = Peer(auth_hop(allow_clear_auth=True))
        peer.say("220 hi")
        peer.hear()
        peer.say("250-mx", "250 AUTH PLAIN LOGIN")
        secret = encoded(b"\0joe\0s3cret")
        self.assertEqual(peer.hear(), f"AUTH PLAIN {secret}\r\n")
        peer.say("235 welcome")
        self.assertEqual(peer.opened, [peer.client])
        self.assertEqual(peer.client.peer.authenticated, "PLAIN")

    def test_login(self) -> None:
        """LOGIN, which is asked twice."""
        peer = Peer(auth_hop(allow_clear_auth=True))
        peer.say("220 hi")
        peer.hear()
        peer.say("250-mx", "250 AUTH LOGIN")
        self.assertEqual(peer.hear(), "AUTH LOGIN\r\n")
        peer.say("334 VXNlcm5hbWU6")
        self.assertEqual(peer.hear(), f"{encoded(b'joe')}\r\n")
        peer.say("334 UGFzc3dvcmQ6")
        self.assertEqual(peer.hear(), f"{encoded(b's3cret')}\r\n")
        peer.say("235 ok")
        self.assertEqual(peer.client.peer.authenticated, "LOGIN")

    def test_cram_md5(self) -> None:
        """CRAM-MD5 shows nobody the password, so it needs no TLS."""
        peer = Peer(auth_hop())
        peer.say("220 hi")
        peer.hear()
        peer.say("250-mx", "250 AUTH PLAIN CRAM-MD5")
        self.assertEqual(peer.hear(), "AUTH CRAM-MD5\r\n")
        peer.say(f"334 {encoded(b'<1@mx>')}")
        response = base64.b64decode(peer.hear())
        self.assertTrue(response.startswith(b"joe "))
        peer.say("235 ok")
        self.assertEqual(peer.client.peer.authenticated, "CRAM-MD5")

    def test_long_initial(self) -> None:
        """A long initial response waits for the server to ask (RFC 4954 section 4)."""
        password = "x" * 500
        peer = Peer(auth_hop(auth_pass=password, allow_clear_auth=True))
        peer.say("220 hi")
        peer.hear()
        peer.say("250-mx", "250 AUTH PLAIN")
        self.assertEqual(peer.hear(), "AUTH PLAIN\r\n")
        peer.say("334 ")
        self.assertEqual(base64.b64decode(peer.hear()), b"\0joe\0" + password.encode())

    def test_scram(self) -> None:
        """SCRAM is worked out in a thread; a server without a proof is not believed."""
        threads = HeldThreads()
        peer = Peer(auth_hop(), make_nonce=lambda: "ours", in_thread=threads.call)
        peer.say("220 hi")
        peer.hear()
        peer.say("250-mx", "250 AUTH SCRAM-SHA-256")
        first = encoded(b"n,,n=joe,r=ours")
        self.assertEqual(peer.hear(), f"AUTH SCRAM-SHA-256 {first}\r\n")
        peer.say(f"334 {encoded(b'r=ourstheirs,s=AAAA,i=4096')}")
        self.assertEqual(peer.hear(), "")
        threads.run_one()
        self.assertTrue(
            base64.b64decode(peer.hear()).startswith(b"c=biws,r=ourstheirs,p=")
        )
        peer.say("235 ok")
        self.assertIn("did not prove", self.failure(peer).reply.text)

    def test_false_server(self) -> None:
        """An exchange that makes no sense is called off with C{*}."""
        peer = Peer(auth_hop(), make_nonce=lambda: "ours")
        peer.hello("AUTH SCRAM-SHA-256")
        peer.say(f"334 {encoded(b'r=theirs,s=AAAA,i=1')}")
        self.assertEqual(peer.hear(), "*\r\n")
        peer.say("501 ok")
        self.assertEqual(self.failure(peer).reply.enhanced, "4.7.0")

    def test_not_base64(self) -> None:
        """The same where the challenge is no base64."""
        peer = Peer(auth_hop())
        peer.hello("AUTH CRAM-MD5")
        peer.say("334 <what?>")
        self.assertEqual(peer.hear(), "*\r\n")
        peer.say("501 ok")
        self.assertIn("base64", self.failure(peer).reply.text)

    def test_endless(self) -> None:
        """A server that asks without end is left."""
        peer = Peer(auth_hop(allow_clear_auth=True))
        peer.hello("AUTH PLAIN")
        for _ in range(9):
            if not peer.opened:
                peer.say("334 ")
        self.assertEqual(self.failure(peer).reply.code, 454)

    def test_not_offered(self) -> None:
        """A host without AUTH gets nothing."""
        for capabilities in ((), ("AUTH",), ("AUTH GSSAPI",)):
            peer = Peer(auth_hop(allow_clear_auth=True))
            peer.hello(*capabilities)
            error = self.failure(peer)
            self.assertIn("does not offer", error.reply.text)
            self.assertFalse(error.retry_in_clear)

    def test_in_clear(self) -> None:
        """A password is not shown over a connection in clear."""
        peer = Peer(auth_hop())
        peer.hello("AUTH PLAIN LOGIN")
        self.assertIn("without TLS", self.failure(peer).reply.text)

    def test_unix_socket(self) -> None:
        """Nobody listens to a Unix socket."""
        hop = Hop(path="/run/x", auth_user="joe", auth_pass="x", using_lmtp=True)
        peer = Peer(hop)
        peer.say("220 hi")
        peer.hear()
        peer.say("250-x", "250 AUTH PLAIN")
        self.assertIn("AUTH PLAIN", peer.hear())

    def test_wrong_password(self) -> None:
        """
        A password that is not taken bounces no mail, for it is our mistake and not the
        sender's.
        """
        peer = Peer(auth_hop(allow_clear_auth=True))
        peer.hello("AUTH PLAIN")
        peer.say("535 5.7.8 bad credentials")
        error = self.failure(peer)
        self.assertEqual((error.reply.code, error.reply.enhanced), (454, "4.7.8"))
        self.assertIn("535 bad credentials", error.reply.text)

    def test_helo_only(self) -> None:
        """A server of HELO has no AUTH, so it gets nothing."""
        peer = Peer(auth_hop())
        peer.say("220 hi")
        peer.say("502 what?")
        peer.say("250 ok")
        self.assertIn("does not offer", self.failure(peer).reply.text)


class LogTests(SynchronousTestCase):
    """What the log shows of a session."""

    def test_no_secret(self) -> None:
        """Every line is logged when asked for, but no password."""
        lines: list[str] = []
        peer = Peer(auth_hop(allow_clear_auth=True), log=LogSwitch(protocol=True))
        peer.client._log_line = (  # type: ignore[method-assign]
            lambda who, line: lines.append(f"{who}: {line}")
        )
        peer.hello("AUTH LOGIN PLAIN")
        peer.say("334 ")
        peer.say("235 ok")
        self.assertIn("C: EHLO me.example", lines)
        self.assertIn("S: 250 AUTH LOGIN PLAIN", lines)
        self.assertIn("C: AUTH PLAIN ...", lines)
        self.assertNotIn(encoded(b"\0joe\0s3cret"), str(lines))

    def test_escaped(self) -> None:
        """A hostile line cannot write to the terminal of who reads the log."""
        shown: list[str] = []
        peer = Peer(log=LogSwitch(protocol=True))

        class Log:
            def debug(self, _: str, **fields: str) -> None:
                shown.append(fields["line"])

        peer.client._log = Log()  # type: ignore[assignment]
        peer.send(b"220 \x1b[2J\r\n")
        self.assertTrue(all(map(str.isprintable, shown)))
        self.assertIn("x1b", shown[0])


class ReuseTests(SynchronousTestCase):
    """What holds for all that follows."""

    def test_capabilities_after_hello(self) -> None:
        """The client offers what the last EHLO did."""
        peer = open_peer(*ALL)
        found = peer.client.capabilities
        self.assertTrue(found.pipelining and found.smtputf8 and found.dsn)
        self.assertIs(peer.client.state, State.IDLE)
        self.assertEqual(peer.client.hop, HOP)
