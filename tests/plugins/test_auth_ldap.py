"""C{auth-ldap}: users whom an LDAP server knows (row PN33)."""

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone, ConnectionRefusedError
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from harakatw.config.options import load_options
from harakatw.plugins._ldap_filters import parse_filter
from harakatw.plugins._ldap_messages import BIND_ANSWER
from harakatw.plugins.auth_ldap import MAX_AT_ONCE, AuthLDAP, AuthLDAPOptions
from tests.auth.sites import auth_site, offered, plain, say
from tests.config.folders import ConfigTestCase
from tests.log_events import collect_log
from tests.plugins.ldap_directory import FakeDirectory, answer, talk
from tests.plugins.servers import FakeServer
from tests.sessions import Site

SUCCESS = "235 2.7.0"
FAILED = "535 5.7.8"
LATER = "454 4.7.0"

ANN = "uid=ann,ou=people,dc=a,dc=test"
TEMPLATE = "uid=%u,ou=people,dc=a,dc=test"


class LDAPTestCase(SynchronousTestCase):
    """Has the plugin, and a directory in memory."""

    def setUp(self) -> None:
        """Ann is there."""
        self.directory = FakeDirectory({ANN: "p w"})
        self.reactor = MemoryReactorClock()
        self.transport: Any = None

    def plugin(self, **options: Any) -> AuthLDAP:
        """The plugin that asks it."""
        chosen = AuthLDAPOptions(**{"dns": {"dn1": TEMPLATE}, **options})
        return AuthLDAP(
            "auth-ldap",
            options=chosen,
            reactor=self.reactor,
            server=FakeServer("mx.test", "/nonexistent"),
        )

    def ask(self, site: Site, line: str, *, cut: bool = True) -> str:
        """Say something, and let the directory be asked."""
        site.client.hear()
        count = len(self.reactor.tcpClients)
        site.client.say(line)
        if len(self.reactor.tcpClients) > count:
            self.transport = talk(self.reactor, self.directory, cut=cut)
        site.server.clock.pump([1.0] * 20)
        return site.client.hear()[:9]

    def login(self, plugin: AuthLDAP, user: str = "ann", password: str = "p w") -> str:
        """The answer to PLAIN."""
        return self.ask(auth_site(plugin), plain(user, password))


class NameTests(LDAPTestCase):
    """Names that are made of the user's."""

    def test_right(self) -> None:
        """Who may log in there may here; we leave at once."""
        plugin = self.plugin()
        self.assertEqual(offered(auth_site(plugin)), ["PLAIN", "LOGIN"])
        self.assertEqual(self.login(plugin), SUCCESS)
        self.assertEqual(self.directory.asked, [("bind", ANN, "p w"), ("unbind",)])
        self.assertEqual(self.reactor.tcpClients[0][:2], ("127.0.0.1", 389))
        self.assertTrue(self.transport.disconnecting)
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_wrong(self) -> None:
        """Who may not may not, whatever the directory's reason is."""
        plugin = self.plugin()
        self.assertEqual(self.login(plugin, password="wrong"), FAILED)
        self.assertEqual(self.login(plugin, "bob"), FAILED)
        for code in 19, 32, 34, 48, 53:
            self.directory.codes["bind"] = code
            self.assertEqual(self.login(plugin), FAILED, code)

    def test_in_order(self) -> None:
        """Each name is tried until one is right, on one connection."""
        other = "cn=%n,ou=%d"
        self.directory.passwords["cn=ann,ou=a.test"] = "x"
        plugin = self.plugin(dns={"b": TEMPLATE, "a": other, "c": "uid=%u"})
        self.assertEqual(self.login(plugin, "ann@a.test", "x"), SUCCESS)
        names = [asked[1] for asked in self.directory.asked[:-1]]
        self.assertEqual(
            names, ["uid=ann@a.test,ou=people,dc=a,dc=test", "cn=ann,ou=a.test"]
        )
        self.assertEqual(len(self.reactor.tcpClients), 1)

    def test_evil_names(self) -> None:
        """
        A user's name is a value and nothing else (RFC 4514 section 2.4): it names
        neither another entry nor nobody, and is no template.
        """
        plugin = self.plugin(dns={"dn": "uid=%n,dc=%d"})
        for user, name in (
            ("ann,ou=people@x", r"uid=ann\2cou\3dpeople,dc=x"),
            ("a+b@x", r"uid=a\2bb,dc=x"),
            ("#a@x", r"uid=\23a,dc=x"),
            (" a @x", r"uid=\20a\20,dc=x"),
            ('"a\\\\;<>@x', r"uid=\22a\5c\5c\3b\3c\3e,dc=x"),
            ("\u00fc@x", r"uid=\c3\bc,dc=x"),
            ("%d@x", r"uid=\25d,dc=x"),
        ):
            self.assertEqual(self.login(plugin, user), FAILED)
            self.assertEqual(self.directory.asked[-2], ("bind", name, "p w"))
        self.directory.asked.clear()
        self.assertEqual(self.login(plugin, "ann"), FAILED)  # there is no domain
        self.assertEqual(self.directory.asked, [("unbind",)])

    def test_no_password(self) -> None:
        """
        Without a password the directory lets anybody in, as nobody: nobody tries that
        (RFC 4513 section 5.1.2).
        """
        site = auth_site(self.plugin())
        self.assertEqual(self.ask(site, plain("ann", "")), FAILED)
        self.assertEqual(self.reactor.tcpClients, [])
        plugin = self.plugin()
        checked: Any = plugin.check_plain_passwd(site.connection, "ann", "")
        self.assertIs(self.settle(checked), False)
        self.assertEqual(self.directory.asked, [("unbind",)])

    def settle(self, checked: Any) -> object:
        """Let the directory be asked, and return what the plugin says."""
        answers: list[object] = []
        waiting = Deferred.fromCoroutine(checked)
        waiting.addCallback(answers.append)
        talk(self.reactor, self.directory)
        return answers[0]

    def test_constrained(self) -> None:
        """Users write in their own domain's name."""
        self.directory.passwords["uid=ann@a.test,ou=people,dc=a,dc=test"] = "p w"
        for constrain, code in ((True, "553"), (False, "250")):
            site = auth_site(self.plugin(constrain_sender=constrain))
            self.ask(site, plain("ann@a.test", "p w"))
            self.assertEqual(say(site, "MAIL FROM:<a@example.org>")[:3], code)

    def test_flood(self) -> None:
        """Many logins at once open no more than so many connections."""
        plugin = self.plugin()
        sites = [auth_site(plugin) for _ in range(MAX_AT_ONCE + 3)]
        for site in sites:
            site.client.say(plain("ann", "p w"))
        self.assertEqual(len(self.reactor.tcpClients), MAX_AT_ONCE)
        talk(self.reactor, self.directory)
        self.assertEqual(len(self.reactor.tcpClients), MAX_AT_ONCE + 1)


class SearchTests(LDAPTestCase):
    """Entries that are found."""

    def searching(self, **options: Any) -> AuthLDAP:
        """The plugin, which searches and tries nothing else."""
        return self.plugin(dns={}, base="dc=a,dc=test", **options)

    def test_found(self) -> None:
        """The one entry that is found is the user's."""
        self.directory.found = [ANN]
        plugin = self.searching(search_filter="(&(mail=%u)(ok=*))")
        self.assertEqual(self.login(plugin, "ann@a.test"), SUCCESS)
        kinds = [asked[0] for asked in self.directory.asked]
        self.assertEqual(kinds, ["search", "bind", "unbind"])
        self.assertEqual(self.directory.asked[0][1], "dc=a,dc=test")
        self.assertIn("ann@a.test", self.directory.asked[0][2])
        self.assertEqual(self.login(plugin, password="wrong"), FAILED)

    def test_administrator(self) -> None:
        """It is searched as somebody, whose password is the postmaster's matter."""
        self.directory.passwords["cn=mx"] = "sesam"
        self.directory.found = [ANN]
        plugin = self.searching(bind_dn="cn=mx", bind_password="sesam")
        self.assertEqual(self.login(plugin), SUCCESS)
        self.assertEqual(self.directory.asked[0], ("bind", "cn=mx", "sesam"))
        plugin = self.searching(bind_dn="cn=mx", bind_password="wrong")
        self.assertEqual(self.login(plugin), LATER)

    def test_not_one(self) -> None:
        """None is nobody, and so are two: a password is tried at neither."""
        for found, code in (
            ([], 0), ([ANN, "cn=x"], 0), ([ANN], 4), ([], 32), ([""], 0)
        ):  # fmt: skip
            self.directory.asked.clear()
            self.directory.found, self.directory.codes = found, {"search": code}
            self.assertEqual(self.login(self.searching()), FAILED)
            kinds = [asked[0] for asked in self.directory.asked]
            self.assertEqual(kinds, ["search", "unbind"])

    def test_evil_filters(self) -> None:
        """A user's name cannot widen the search (RFC 4515 section 3)."""
        self.assertEqual(self.login(self.searching(), "*)(uid=*"), FAILED)
        wanted = self.directory.asked[0][2]
        self.assertTrue(wanted.endswith("\x04\x03uid\x04\x08*)(uid=*"), wanted)
        self.assertEqual(wanted[0], "\xa3")  # equal to, not like


class FilterTests(SynchronousTestCase):
    """Filters as they are sent (RFC 4511 section 4.5.1, RFC 4515 section 4)."""

    def test_kinds(self) -> None:
        """Each kind has its tag, and escaped signs are what they stand for."""
        for text, sent in (
            ("(a=b)", b"\xa3\x06\4\1a\4\1b"),
            ("(a>=b)", b"\xa5\x06\4\1a\4\1b"),
            ("(a<=b)", b"\xa6\x06\4\1a\4\1b"),
            ("(a~=b)", b"\xa8\x06\4\1a\4\1b"),
            ("(a=)", b"\xa3\x05\4\1a\4\0"),
            ("(a=*)", b"\x87\1a"),
            (r"(a=\2a\28\C3\bc)", b"\xa3\x09\4\1a\4\4*(\xc3\xbc"),
            (r"(a=b*\2a*c)", b"\xa4\x0e\4\1a\x30\x09\x80\1b\x81\1*\x82\1c"),
            ("(!(a=*))", b"\xa2\3\x87\1a"),
            ("(&(a=*)(b=*))", b"\xa0\6\x87\1a\x87\1b"),
            ("(|(a=*)(b=*))", b"\xa1\6\x87\1a\x87\1b"),
            ("(a:dn:2.4:=b)", b"\xa9\x0e\x81\x032.4\x82\1a\x83\1b\x84\1\xff"),
            ("(:r:=b)", b"\xa9\6\x81\1r\x83\1b"),
        ):
            self.assertEqual(parse_filter(text), sent, text)

    def test_long(self) -> None:
        """A long value has a long length."""
        sent = parse_filter(f"(a={'x' * 300})")
        self.assertEqual(sent[:11], b"\xa3\x82\x01\x33\4\1a\4\x82\x01\x2c")

    def test_mistakes(self) -> None:
        """What is no filter is refused."""
        for text in (
            "", "a=b", "(a=b", "(a)", "(=b)", "()", "(&)", "(&(a=b)", "(!a=b)",
            "(a=b))", "(a=b)(c=d)", r"(a=\2)", r"(a=\zz)", "(a:r=b)", "(:=b)",
            "(a:b:c:=d)", "(a=(b))", "(!" * 30 + "(a=b)" + ")" * 30,
        ):  # fmt: skip
            self.assertRaises(ValueError, parse_filter, text)


class TLSTests(LDAPTestCase):
    """How passwords are kept from others."""

    def test_ldaps(self) -> None:
        """TLS comes first, and on a port of its own."""
        self.assertEqual(self.login(self.plugin(server=("ldaps://10.1.1.1",))), SUCCESS)
        self.assertEqual(self.reactor.tcpClients[0][:2], ("10.1.1.1", 636))
        self.assertIsNotNone(self.transport.tls)

    def test_starttls(self) -> None:
        """TLS is begun, or else no password is sent (RFC 4511 section 4.14)."""
        plugin = self.plugin(starttls=True)
        self.assertEqual(self.login(plugin), SUCCESS)
        self.assertEqual(
            self.directory.asked[0], ("extended", "1.3.6.1.4.1.1466.20037")
        )
        self.assertIsNotNone(self.transport.tls)
        self.directory.asked.clear()
        self.directory.codes["extended"] = 2
        self.assertEqual(self.login(plugin), LATER)
        self.assertEqual([asked[0] for asked in self.directory.asked], ["extended"])
        self.assertIsNone(self.transport.tls)

    def test_injected(self) -> None:
        """What somebody adds to the answer to STARTTLS in clear is not believed."""
        done = answer(1, 0x78)
        for more in answer(2, BIND_ANSWER), answer(2, BIND_ANSWER)[:5]:
            self.directory.breaks["extended"] = done + more
            said = self.ask(
                auth_site(self.plugin(starttls=True)), plain("ann", "x"), cut=False
            )
            self.assertEqual(said, LATER)
            self.assertIsNone(self.transport.tls)

    def test_far(self) -> None:
        """Nothing is offered if passwords would go over the Internet in clear."""
        for server, options, count in (
            ("ldap://ldap.a.test", {}, 1), ("ldap://11.22.33.44", {}, 1),
            ("ldap://11.22.33.44", {"allow_clear": True}, 0),
            ("ldap://ldap.a.test", {"starttls": True}, 0),
            ("ldaps://ldap.a.test", {}, 0), ("ldapi://%2frun%2fldapi", {}, 0),
            ("ldap://[::1]:99", {}, 0), ("ldap://localhost", {}, 0),
        ):  # fmt: skip
            plugin = self.plugin(server=(server,), **options)
            self.assertEqual([each.key for each in plugin.problems], ["server"] * count)
            self.assertEqual(bool(offered(auth_site(plugin))), not count, server)


class TroubleTests(LDAPTestCase):
    """A directory that does not work: nobody gets in, nor is told to be wrong."""

    def test_results(self) -> None:
        """It is busy, wants something else, or refers to another server."""
        plugin = self.plugin()
        for code in 1, 2, 8, 10, 13, 51, 52, 80, 200:
            self.directory.codes["bind"] = code
            self.assertEqual(self.login(plugin), LATER, code)
            self.assertTrue(self.transport.disconnected)
        self.directory.codes = {"search": 50}
        self.assertEqual(self.login(self.plugin(base="dc=a")), LATER)

    def test_nonsense(self) -> None:
        """It does not speak LDAP, or says what it was not asked."""
        good = answer(1, BIND_ANSWER)
        for said in (
            b"220 mx ESMTP\r\n", b"\x30\x80\x02", b"\x30\x85\0\0\0\0\1", b"\x30\0",
            b"\x30\x84\x7f\xff\xff\xff", b"\x30\x03\x02\x01\x01", b"\x30\2\1\5",
            answer(2, BIND_ANSWER), answer(0, 0x78), answer(1, 0x65), good + good,
            b"\x30\x05\x02\x01\x01\x61\0", b"\x30\x07\x02\x01\x01\x61\2\x04\0",
        ):  # fmt: skip
            self.directory.breaks["bind"] = said
            for cut in True, False:
                site = auth_site(self.plugin())
                told = self.ask(site, plain("ann", "wrong"), cut=cut)
                if said != good + good or not cut:
                    self.assertEqual(told, LATER, said)
                    self.assertTrue(self.transport.disconnected)
                    self.assertNotIn("auth_fails", site.connection.notes)

    def test_next_server(self) -> None:
        """If one server does not answer the next is asked; one that does decides."""
        plugin = self.plugin(server=("ldap://10.0.0.1", "ldap://10.0.0.2:99"))
        site = auth_site(plugin)
        site.client.say(plain("ann", "p w"))
        factory: Any = self.reactor.tcpClients[0][2]
        factory.clientConnectionFailed(None, Failure(ConnectionRefusedError()))
        self.assertEqual(self.reactor.tcpClients[1][:2], ("10.0.0.2", 99))
        talk(self.reactor, self.directory)
        self.assertEqual(site.client.hear().splitlines()[-1][:9], SUCCESS)
        self.assertEqual(self.login(plugin, password="wrong"), FAILED)
        self.assertEqual(len(self.reactor.tcpClients), 3)

    def test_silent(self) -> None:
        """It does not answer in time, or hangs up."""
        self.directory.breaks["bind"] = b""
        for hangs_up in False, True:
            site = auth_site(self.plugin(timeout=5000))
            self.assertEqual(self.ask(site, plain("ann", "p w")), "")
            if hangs_up:
                self.transport.protocol.connectionLost(Failure(ConnectionDone()))
            else:
                self.reactor.advance(5)
                self.assertTrue(self.transport.disconnected)
            self.assertEqual(site.client.hear()[:9], LATER)
            self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_not_logged(self) -> None:
        """No password is in any log."""
        events = collect_log(self)
        options = {"base": "dc=a", "bind_dn": "cn=mx", "bind_password": "sesam"}
        for code in 0, 49, 2:
            self.directory.codes["bind"] = code
            self.login(self.plugin(**options), password="geheim")
        for secret in "geheim", "sesam":
            self.assertNotIn(secret, str(events))


class OptionsTests(ConfigTestCase):
    """What C{auth_ldap.ini} says."""

    def plugin(self, text: str) -> AuthLDAP:
        """The plugin with this file."""
        self.write("auth_ldap.ini", text)
        loaded = load_options(AuthLDAPOptions, self.files(), "auth-ldap")
        self.assertEqual(loaded.problems, ())
        return AuthLDAP(
            "auth-ldap",
            options=loaded.options,
            reactor=MemoryReactorClock(),
            server=FakeServer("mx.test", "/nonexistent"),
        )

    def test_harakas(self) -> None:
        """A file of Haraka's means what it does there."""
        plugin = self.plugin(
            "[core]\nserver=ldaps://ldap.a.test\ntimeout=3000\n"
            "rejectUnauthorized=false\n"
            "[dns]\ndn1=uid=%u,ou=Users,dc=a\ndn2=uid=%u,ou=people,dc=a\n"
        )
        options = plugin.options
        self.assertEqual(list(plugin.problems), [])
        self.assertEqual(options.server, ("ldaps://ldap.a.test",))
        self.assertEqual((options.timeout, options.reject_unauthorized), (3000, False))
        self.assertEqual(
            list(options.dns.values()),
            ["uid=%u,ou=Users,dc=a", "uid=%u,ou=people,dc=a"],
        )

    def test_mistakes(self) -> None:
        """Each is told by its key, and nothing is offered."""
        dns = "[dns]\na=uid=%u\n"
        for text, key in (
            ("", ""),
            ("[dns]\na=uid=ann\n", "a"),
            (f"[core]\nserver=ldap.a.test\n{dns}", "server"),
            (f"[core]\nserver=http://127.0.0.1\n{dns}", "server"),
            (f"[core]\nserver=ldaps://a/dc=a\n{dns}", "server"),
            (f"[core]\nserver=ldaps://[a\n{dns}", "server"),
            (f"[core]\nca=none.pem\n{dns}", "ca"),
            ("[search]\nbase=dc=a\nfilter=(uid=ann)\n", "filter"),
            ("[search]\nbase=dc=a\nfilter=uid=%u\n", "filter"),
            ("[search]\nbase=dc=a\nfilter=(&(uid=%u)\n", "filter"),
            ("[search]\nbase=dc=a\nbind_dn=cn=mx\n", "bind_password"),
        ):
            plugin = self.plugin(text)
            self.assertEqual([each.key for each in plugin.problems], [key], text)
            self.assertEqual(offered(auth_site(plugin)), [])
