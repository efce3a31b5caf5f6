"""C{auth/auth_vpopmaild}: users whom vpopmaild knows (row PB05)."""

import hashlib
import hmac
from typing import Any

from twisted.internet.error import ConnectionDone, ConnectionRefusedError
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from harakatw.config.options import load_options
from harakatw.plugins.auth._vpopmaild import MAX_LINES
from harakatw.plugins.auth.auth_vpopmaild import (
    MAX_AT_ONCE,
    AuthVpopmaild,
    AuthVpopmaildOptions,
    ServerOptions,
)
from tests.auth.sites import auth_site, b64, offered, plain, say, unb64
from tests.config.folders import ConfigTestCase
from tests.log_events import collect_log
from tests.plugins.auth.vpopmaild import FakeVpopmaild, talk
from tests.sessions import Site

SUCCESS = "235 2.7.0"
FAILED = "535 5.7.8"
LATER = "454 4.7.0"

ADMIN = "root@a.test"


class VpopmaildTestCase(SynchronousTestCase):
    """Has the plugin, and a vpopmaild in memory."""

    def setUp(self) -> None:
        """Ann and the administrator are there."""
        self.server = FakeVpopmaild(
            {"ann@a.test": "p w", ADMIN: "top:secret"}, admins={ADMIN}
        )
        self.reactor = MemoryReactorClock()
        self.transport: Any = None

    def plugin(self, **options: Any) -> AuthVpopmaild:
        """The plugin that asks it."""
        chosen = AuthVpopmaildOptions(**options)
        return AuthVpopmaild(
            "auth/auth_vpopmaild", options=chosen, reactor=self.reactor
        )

    def ask(self, site: Site, line: str) -> str:
        """Say something, and let vpopmaild be asked."""
        site.client.hear()
        count = len(self.reactor.tcpClients)
        site.client.say(line)
        if len(self.reactor.tcpClients) > count:
            self.transport = talk(self.reactor, self.server)
        site.server.clock.pump([1.0] * 20)
        return site.client.hear()

    def login(
        self, plugin: AuthVpopmaild, user: str = "ann@a.test", password: str = "p w"
    ) -> str:
        """The answer to PLAIN."""
        return self.ask(auth_site(plugin), plain(user, password))[:9]


class PasswordTests(VpopmaildTestCase):
    """PLAIN and LOGIN."""

    def test_right(self) -> None:
        """vpopmaild lets the user in; we leave at once."""
        plugin = self.plugin()
        self.assertEqual(self.login(plugin), SUCCESS)
        self.assertEqual(self.server.commands, ["login ann@a.test p w", "quit"])
        self.assertTrue(self.transport.disconnecting)
        self.assertEqual(self.reactor.tcpClients[0][:2], ("127.0.0.1", 89))
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_wrong(self) -> None:
        """It does not."""
        plugin = self.plugin()
        self.assertEqual(self.login(plugin, password="wrong"), FAILED)
        self.assertEqual(self.login(plugin, "bob@a.test"), FAILED)
        self.server.breaks["login"] = b"-ERR invalid login\r\n"
        self.assertEqual(self.login(plugin), FAILED)

    def test_forbidden(self) -> None:
        """Who may not send mail by vpopmail's settings may not here."""
        self.server.no_smtp = {"ann@a.test"}
        self.assertEqual(self.login(self.plugin()), FAILED)

    def test_old(self) -> None:
        """One that tells nothing of the user is understood, too."""
        self.server.breaks["login"] = b"+OK\r\n"
        self.assertEqual(self.login(self.plugin()), SUCCESS)

    def test_not_asked(self) -> None:
        """
        What vpopmaild would take for something else is not sent: a name with a blank,
        one that is too long, a line that would be cut into two commands.
        """
        plugin = self.plugin()
        for user, password in (
            ("ann@a.test p", "w"),
            ("ann@a.test\u00a0", "p w"),
            ("a" * 150 + "@a.test", "p w"),
            ("ann@a.test", "x" * 1010),
            ("ann@a.test", "ü" * 500),
        ):
            self.assertEqual(self.login(plugin, user, password), FAILED)
        self.assertEqual(self.reactor.tcpClients, [])

    def test_domains(self) -> None:
        """Users of a domain with a section are known elsewhere; others are not sent."""
        plugin = self.plugin(
            domains={"A.test": ServerOptions(host="10.0.0.2", port=99)}
        )
        self.assertEqual(self.login(plugin, "ann@a.TEST"), FAILED)
        self.assertEqual(self.login(plugin), SUCCESS)
        self.login(plugin, "ann")
        places = [each[:2] for each in self.reactor.tcpClients]
        self.assertEqual(places, [("10.0.0.2", 99)] * 2 + [("127.0.0.1", 89)])

    def test_constrained(self) -> None:
        """Users write in their own domain's name."""
        for constrain, code in ((True, "553"), (False, "250")):
            site = auth_site(self.plugin(constrain_sender=constrain))
            self.ask(site, plain("ann@a.test", "p w"))
            self.assertEqual(say(site, "MAIL FROM:<a@example.org>")[:3], code)

    def test_flood(self) -> None:
        """Many logins at once open no more than so many connections."""
        plugin = self.plugin()
        sites = [auth_site(plugin) for _ in range(MAX_AT_ONCE + 3)]
        for site in sites:
            site.client.say(plain("ann@a.test", "p w"))
        self.assertEqual(len(self.reactor.tcpClients), MAX_AT_ONCE)
        talk(self.reactor, self.server)
        self.assertEqual(len(self.reactor.tcpClients), MAX_AT_ONCE + 1)


class CRAMTests(VpopmaildTestCase):
    """CRAM-MD5, by the help of the administrator (RFC 2195)."""

    def cram(self, plugin: AuthVpopmaild, user: str, password: str) -> str:
        """The answer to CRAM-MD5."""
        site = auth_site(plugin)
        challenge = unb64(say(site, "AUTH CRAM-MD5"))
        digest = hmac.new(password.encode(), challenge, hashlib.md5).hexdigest()
        return self.ask(site, b64(f"{user} {digest}"))[:9]

    def test_right(self) -> None:
        """The administrator is told the password, even with blanks in it."""
        plugin = self.plugin(sysadmin=f"{ADMIN}:top:secret")
        self.assertEqual(offered(auth_site(plugin)), ["CRAM-MD5", "PLAIN", "LOGIN"])
        self.assertEqual(self.cram(plugin, "ann@a.test", "p w"), SUCCESS)
        self.assertEqual(
            self.server.commands,
            [f"slogin {ADMIN} top:secret", "user_info ann@a.test", "quit"],
        )

    def test_wrong(self) -> None:
        """Another password, nobody, somebody without, somebody who may not."""
        plugin = self.plugin(sysadmin=f"{ADMIN}:top:secret")
        self.server.users["eve@a.test"] = ""
        self.server.users["ned@a.test"] = "p w"
        self.server.no_smtp = {"ned@a.test"}
        for user, password in (
            ("ann@a.test", "wrong"), ("bob@a.test", "p w"), ("eve@a.test", "p w"),
            ("eve@a.test", "x"), ("ned@a.test", "p w"), ("ann@a.test\u00a0x", "p w"),
        ):  # fmt: skip
            self.assertEqual(self.cram(plugin, user, password), FAILED, user)

    def test_no_admin(self) -> None:
        """One that may not ask is trouble, and not the user's fault."""
        plugin = self.plugin(sysadmin=f"{ADMIN}:wrong")
        self.assertEqual(self.cram(plugin, "ann@a.test", "p w"), LATER)
        self.server.breaks["user_info"] = b"-ERR 9.601 Not Authorized\r\n"
        plugin = self.plugin(sysadmin=f"{ADMIN}:top:secret")
        self.assertEqual(self.cram(plugin, "ann@a.test", "p w"), LATER)

    def test_offered_to_all_or_none(self) -> None:
        """A client takes the best that is offered: it must work for every domain."""
        self.assertEqual(offered(auth_site(self.plugin())), ["PLAIN", "LOGIN"])
        plugin = self.plugin(sysadmin="a:b", domains={"b.test": ServerOptions()})
        self.assertEqual(offered(auth_site(plugin)), ["PLAIN", "LOGIN"])


class TroubleTests(VpopmaildTestCase):
    """A vpopmaild that does not work: nobody gets in, nor is told to be wrong."""

    def test_nonsense(self) -> None:
        """It is not ready, or speaks otherwise."""
        for said in (
            b"-ERR 1.101 Can't open authentication database\r\n", b"220 mx ESMTP\r\n",
            b"\r\n",
        ):  # fmt: skip
            self.server.said = said
            self.assertEqual(self.login(self.plugin()), LATER, said)
        self.server.said = b"+OK\r\n"
        for answer in (
            b"-ERR 4.104 Invalid Command\r\n", b"-ERR 5.105 Too many\r\n", b"yes\r\n"
        ):  # fmt: skip
            self.server.breaks["login"] = answer
            self.assertEqual(self.login(self.plugin()), LATER, answer)
        self.assertTrue(self.transport.disconnected)

    def test_hangs_up(self) -> None:
        """It hangs up at once."""
        self.server.said = b""
        site = auth_site(self.plugin())
        self.assertEqual(self.ask(site, plain("ann@a.test", "p w")), "")
        self.transport.protocol.connectionLost(Failure(ConnectionDone()))
        self.assertEqual(site.client.hear()[:9], LATER)

    def test_endless(self) -> None:
        """It speaks without end: we hang up."""
        endless = b"+OK+\r\n" + b"a b\r\n" * MAX_LINES
        for said, answer in ((b"x" * 5000, b""), (b"+OK\r\n", endless)):
            self.server.said = said
            self.server.breaks["login"] = answer
            site = auth_site(self.plugin())
            self.assertEqual(self.ask(site, plain("ann@a.test", "p w")), "")
            self.assertTrue(self.transport.disconnecting or self.transport.disconnected)
            self.transport.protocol.connectionLost(Failure(ConnectionDone()))
            self.assertEqual(site.client.hear()[:9], LATER)

    def test_not_asked(self) -> None:
        """What it says before it is asked is not taken for the answer."""
        self.server.said = b"+OK\r\n+OK\r\n"
        self.assertEqual(self.login(self.plugin(), password="wrong"), LATER)
        self.assertEqual(self.server.commands, [])

    def test_silent(self) -> None:
        """It does not answer in time."""
        plugin = self.plugin(timeout=5)
        self.server.said = b""
        site = auth_site(plugin)
        self.assertEqual(self.ask(site, plain("ann@a.test", "p w")), "")
        self.reactor.advance(5)
        self.assertEqual(site.client.hear()[:9], LATER)
        self.assertTrue(self.transport.disconnected)
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_absent(self) -> None:
        """It does not listen."""
        site = auth_site(self.plugin())
        site.client.say(plain("ann@a.test", "p w"))
        factory: Any = self.reactor.tcpClients[-1][2]
        factory.clientConnectionFailed(None, Failure(ConnectionRefusedError()))
        self.assertEqual(site.client.hear()[-80:].splitlines()[-1][:9], LATER)

    def test_far(self) -> None:
        """
        vpopmaild has no TLS: without the postmaster's leave no password goes to a host
        that is not of a private network.
        """
        plugin = self.plugin(host="11.22.33.44")
        self.assertEqual(self.login(plugin), LATER)
        self.assertEqual(self.server.commands, [])
        plugin = self.plugin(host="11.22.33.44", allow_clear=True)
        self.assertEqual(self.login(plugin), SUCCESS)

    def test_not_logged(self) -> None:
        """No password is in any log."""
        events = collect_log(self)
        plugin = self.plugin(sysadmin=f"{ADMIN}:top:secret")
        for breaks in b"", b"-ERR 8.207 p w\r\n", b"-ERR 1.1 p w\r\n", b"p w\r\n":
            self.server.breaks = {"login": breaks} if breaks else {}
            self.login(plugin)
        self.assertNotIn("p w", str(events))
        self.assertNotIn("top:secret", str(events))


class OptionsTests(ConfigTestCase):
    """What C{auth_vpopmaild.ini} says."""

    def test_sections(self) -> None:
        """As in Haraka: each domain has its own, and the defaults are the same."""
        self.write(
            "auth_vpopmaild.ini",
            "host=192.168.1.1\nsysadmin=root@a.test:a:b\n"
            "[b.test]\nport=999\n[c.test]\nhost=11.22.33.44\n",
        )
        loaded = load_options(AuthVpopmaildOptions, self.files(), "auth/auth_vpopmaild")
        self.assertEqual(loaded.problems, ())
        options = loaded.options
        self.assertEqual(options.host, "192.168.1.1")
        self.assertEqual(options.domains["b.test"], ServerOptions(port=999))
        plugin = AuthVpopmaild(
            "auth/auth_vpopmaild", options=options, reactor=MemoryReactorClock()
        )
        told = [(each.section, each.key) for each in plugin.problems]
        self.assertEqual(told, [("c.test", "host")])

    def test_mistakes(self) -> None:
        """An administrator without a password, and no port; the secret is not shown."""
        self.write("auth_vpopmaild.ini", "sysadmin=geheim\nport=99999\n")
        loaded = load_options(AuthVpopmaildOptions, self.files(), "auth/auth_vpopmaild")
        self.assertEqual(
            sorted(each.key for each in loaded.problems), ["port", "sysadmin"]
        )
        self.assertNotIn("geheim", str(loaded.problems))
