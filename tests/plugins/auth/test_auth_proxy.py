"""C{auth/auth_proxy}: users whom the mail server of their domain knows (row PB03)."""

import attrs
from twisted.internet.defer import Deferred, fail, succeed
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer
from zope.interface.verify import verifyObject

from harakatw.config.options import load_options
from harakatw.errors import TemporaryFailure
from harakatw.interfaces.services import IHostLogin
from harakatw.outbound.login import NOT_WORKING
from harakatw.plugins.auth._host_users import MAX_AT_ONCE
from harakatw.plugins.auth.auth_proxy import AuthProxy, AuthProxyOptions
from tests.auth.sites import auth_site, offered, plain, say
from tests.config.folders import ConfigTestCase

SUCCESS = "235 2.7.0 Authentication successful\r\n"
FAILED = "535 5.7.8 Authentication failed\r\n"
LATER = "454 4.7.0"


@implementer(IHostLogin)
@attrs.define
class Hosts:
    """
    Mail servers.

    @ivar known: the password of a user at a host.
    @ivar down: hosts that do not answer.
    @ivar asked: who asked for whom, and whether without TLS.
    """

    known: dict[tuple[str, str], str] = attrs.field(factory=dict)
    down: set[str] = attrs.field(factory=set)
    asked: list[tuple[str, str, bool]] = attrs.field(factory=list)
    held: "list[Deferred[bool]] | None" = None

    def login(
        self, host: str, user: str, password: str, *, clear: bool = False
    ) -> "Deferred[bool]":
        """Somebody logs in."""
        self.asked.append((host, user, clear))
        if self.held is not None:
            self.held.append(Deferred())
            return self.held[-1]
        if host in self.down:
            return fail(TemporaryFailure(NOT_WORKING))
        return succeed(self.known.get((host, user)) == password)


def proxy(hosts: Hosts, clear: bool = False, **domains: tuple[str, ...]) -> AuthProxy:
    """The plugin; C{a_test} is the domain C{a.test}."""
    named = {name.replace("_", "."): each for name, each in domains.items()}
    options = AuthProxyOptions(domains=named, allow_clear=clear)
    return AuthProxy("auth/auth_proxy", options=options, host_login=hosts)


class LoginTests(SynchronousTestCase):
    """Whose password is right."""

    def setUp(self) -> None:
        """One host knows Ann by her address, another Bob by his name alone."""
        self.hosts = Hosts(
            {("mx1:587", "ann@a.test"): "secret", ("mx2", "bob"): "hidden"}
        )
        self.plugin = proxy(self.hosts, a_test=("mx1:587",), b_test=("mx2",))

    def login(self, user: str, password: str) -> str:
        """What the client is answered."""
        return say(auth_site(self.plugin), plain(user, password))

    def test_service(self) -> None:
        """The fake is what the plugin is promised."""
        verifyObject(IHostLogin, self.hosts)

    def test_right(self) -> None:
        """The domain's server says yes; the domain may be in capitals."""
        self.assertEqual(self.login("ann@a.test", "secret"), SUCCESS)
        self.hosts.known["mx1:587", "ann@A.TEST"] = "secret"
        self.assertEqual(self.login("ann@A.TEST", "secret"), SUCCESS)

    def test_wrong(self) -> None:
        """It says no, with the domain and without."""
        self.assertEqual(self.login("ann@a.test", "wrong"), FAILED)
        asked = [("mx1:587", "ann@a.test", False), ("mx1:587", "ann", False)]
        self.assertEqual(self.hosts.asked, asked)

    def test_without_domain(self) -> None:
        """A server that knows names without domains is understood."""
        self.assertEqual(self.login("bob@b.test", "hidden"), SUCCESS)

    def test_nobodys(self) -> None:
        """The password of a user of another domain, or of none, is sent nowhere."""
        for user in ("ann", "ann@c.test", "ann@a.test@c.test", "a.test"):
            self.assertEqual(self.login(user, "secret"), FAILED, user)
        self.assertEqual(self.hosts.asked, [])

    def test_next_host(self) -> None:
        """If a server does not answer the next is asked; one that says no decides."""
        self.plugin = proxy(self.hosts, b_test=("mx0", "mx2", "mx3"))
        self.hosts.down = {"mx0"}
        self.hosts.known["mx3", "bob"] = "other"
        self.assertEqual(self.login("bob@b.test", "hidden"), SUCCESS)
        self.assertEqual(self.login("bob@b.test", "other"), FAILED)

    def test_none_answers(self) -> None:
        """If no server answers the client is to try again later: 454."""
        self.hosts.down = {"mx1:587"}
        self.assertEqual(self.login("ann@a.test", "secret")[:9], LATER)

    def test_clear(self) -> None:
        """Passwords go over the network in clear only if the postmaster says so."""
        self.plugin = proxy(self.hosts, clear=True, a_test=("mx1:587",))
        self.assertEqual(self.login("ann@a.test", "secret"), SUCCESS)
        self.assertEqual(self.hosts.asked, [("mx1:587", "ann@a.test", True)])

    def test_flood(self) -> None:
        """Many logins at once open no more than so many connections."""
        self.hosts.held = []
        sites = [auth_site(self.plugin) for _ in range(MAX_AT_ONCE + 3)]
        for site in sites:
            site.client.say(plain("ann@a.test", "secret"))
        self.assertEqual(len(self.hosts.held), MAX_AT_ONCE)
        self.hosts.held[0].callback(True)
        self.assertEqual(len(self.hosts.held), MAX_AT_ONCE + 1)
        self.assertEqual(sites[0].client.hear()[-len(SUCCESS) :], SUCCESS)


class OptionsTests(ConfigTestCase):
    """What C{auth_proxy.ini} says."""

    def load(self, text: str) -> AuthProxy:
        """The plugin with this file."""
        self.write("auth_proxy.ini", text)
        loaded = load_options(AuthProxyOptions, self.files(), "auth/auth_proxy")
        self.assertEqual(loaded.problems, ())
        return AuthProxy("auth/auth_proxy", options=loaded.options, host_login=Hosts())

    def test_hosts(self) -> None:
        """A domain has one server or several, as in Haraka."""
        plugin = self.load("[domains]\na.test = mx1:587, mx2\nb.test=smtps://mx3\n")
        self.assertEqual(
            plugin._hosts, {"a.test": ("mx1:587", "mx2"), "b.test": ("smtps://mx3",)}
        )
        self.assertEqual(list(plugin.problems), [])
        self.assertEqual(offered(auth_site(plugin)), ["PLAIN", "LOGIN"])

    def test_mistakes(self) -> None:
        """What is no server is reported by its domain, and is not asked."""
        plugin = self.load("[domains]\na.test=mx:99999\nb.test=lmtp:/x mx2\n")
        told = [(each.section, each.key) for each in plugin.problems]
        self.assertEqual(told, [("domains", "a.test"), ("domains", "b.test")])
        self.assertEqual(plugin._hosts, {"b.test": ("mx2",)})

    def test_none(self) -> None:
        """Without servers nothing is offered."""
        self.assertEqual(offered(auth_site(proxy(Hosts()))), [])
