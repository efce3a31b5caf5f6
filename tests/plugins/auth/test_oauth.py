"""C{auth/oauth}: tokens, and an endpoint that tells of them (RFC 7662)."""

import json
from typing import Any

from treq.testing import RequestTraversalAgent
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from harakatw.net.web import WebClient
from harakatw.plugins.auth._token_cache import TokenCache
from harakatw.plugins.auth.oauth import OAuth, OAuthOptions
from tests.auth.sites import auth_site, b64, offered, say, unb64
from tests.log_events import collect_log
from tests.sessions import Site

SUCCESS = "235 2.7.0"
FAILED = "535 5.7.8"
LATER = "454 4.7.0"

GOOD = {"active": True, "username": "ann@example.com", "scope": "mail.send openid"}

URL = "https://id.example/introspect"


class Endpoint(Resource):
    """
    Tells of tokens what a test wants.

    @ivar asked: the forms and credentials that it got.
    """

    isLeaf = True

    def __init__(self, says: object, status: int = 200) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Twisted's
        self.says, self.status = says, status
        self.asked: list[tuple[Any, bytes, bytes]] = []

    def render_POST(self, request: Any) -> Any:
        """Answer."""
        self.asked.append((request.args, request.getUser(), request.getPassword()))
        if self.says is None:
            return NOT_DONE_YET
        request.setResponseCode(self.status)
        if isinstance(self.says, bytes):
            return self.says
        return json.dumps(self.says).encode()


class OAuthTestCase(SynchronousTestCase):
    """Has the plugin, with an endpoint in memory."""

    def plugin(self, endpoint: Endpoint, **options: Any) -> OAuth:
        """The plugin that asks it."""
        self.clock = Clock()
        self.now = 1_000_000.0
        chosen = OAuthOptions(introspection_url=URL, **options)
        plugin = OAuth(
            "auth/oauth", options=chosen, reactor=self.clock, now=lambda: self.now
        )
        self.agent = RequestTraversalAgent(endpoint)  # type: ignore[no-untyped-call]
        plugin._web = WebClient(self.agent, self.clock, chosen.timeout, 1000)
        return plugin

    def ask(self, site: Site, line: str) -> str:
        """Say something, and let the endpoint be asked."""
        site.client.hear()
        site.client.say(line)
        self.agent.flush()  # type: ignore[no-untyped-call]
        return site.client.hear()

    def login(
        self, plugin: OAuth, user: str = "ann@example.com", token: str = "tok"
    ) -> tuple[str, Site]:
        """The answer to XOAUTH2."""
        site = auth_site(plugin)
        message = f"user={user}\x01auth=Bearer {token}\x01\x01"
        said = self.ask(site, f"AUTH XOAUTH2 {b64(message)}")
        if said.startswith("334"):
            self.assertEqual(json.loads(unb64(said))["status"], "invalid_token")
            said = say(site, "")
        return said[:9], site


class TokenTests(OAuthTestCase):
    """Good tokens and others."""

    def test_offered(self) -> None:
        """Both mechanisms, and none without an endpoint."""
        plugin = self.plugin(Endpoint(GOOD))
        self.assertEqual(offered(auth_site(plugin)), ["OAUTHBEARER", "XOAUTH2"])
        plugin.options = OAuthOptions()
        self.assertEqual(offered(auth_site(plugin)), [])

    def test_good(self) -> None:
        """
        The endpoint is asked as RFC 7662 section 2.1 and RFC 6749 section 2.3.1 say,
        and its user is it.
        """
        endpoint = Endpoint(GOOD)
        plugin = self.plugin(
            endpoint, client_id="mx 1", client_secret="a&b", scope=("mail.send",)
        )
        said, site = self.login(plugin)
        self.assertEqual(said, SUCCESS)
        self.assertEqual(site.connection.notes["auth_user"], "ann@example.com")
        ((form, user, password),) = endpoint.asked
        self.assertEqual(
            form, {b"token": [b"tok"], b"token_type_hint": [b"access_token"]}
        )
        self.assertEqual((user, password), (b"mx+1", b"a%26b"))

    def test_oauthbearer(self) -> None:
        """By OAUTHBEARER, too, where the token alone may tell who it is."""
        for user in "", "a=ann@example.com", "a=Ann@Example.com":
            site = auth_site(self.plugin(Endpoint(GOOD)))
            message = b64(f"n,{user},\x01auth=Bearer tok\x01\x01")
            self.assertEqual(self.ask(site, f"AUTH OAUTHBEARER {message}")[:9], SUCCESS)
            self.assertEqual(site.connection.notes["auth_user"], "ann@example.com")

    def test_not_good(self) -> None:
        """Not active, expired, for others, of nobody, or of somebody else."""
        for changed in (
            {"active": False},
            {"active": "true"},
            {"active": 1},
            {"exp": 999_999},
            {"exp": "soon"},
            {"nbf": 1_000_001},
            {"scope": "openid"},
            {"scope": ["mail"]},
            {"aud": "web"},
            {"username": ""},
            {"username": None},
            {"username": "bob@example.com"},
            {"username": ["ann@example.com"]},
        ):
            endpoint = Endpoint({**GOOD, "aud": ["mx", "x"], **changed})
            plugin = self.plugin(endpoint, scope=("mail.send",), audience="mx")
            said, site = self.login(plugin)
            self.assertEqual(said, FAILED, changed)
            self.assertFalse(site.connection.relaying)

    def test_scope_told(self) -> None:
        """A client whose token is no good learns what it should be good for."""
        site = auth_site(self.plugin(Endpoint({"active": False}), scope=("a", "b")))
        message = b64("n,,\x01auth=Bearer tok\x01\x01")
        said = self.ask(site, f"AUTH OAUTHBEARER {message}")
        self.assertEqual(
            json.loads(unb64(said)), {"status": "invalid_token", "scope": "a b"}
        )

    def test_constrained(self) -> None:
        """Users write in their own domain's name."""
        _, site = self.login(self.plugin(Endpoint(GOOD)))
        self.assertEqual(say(site, "MAIL FROM:<a@example.org>")[:3], "553")
        _, site = self.login(self.plugin(Endpoint(GOOD), constrain_sender=False))
        self.assertEqual(say(site, "MAIL FROM:<a@example.org>")[:3], "250")

    def test_not_logged(self) -> None:
        """A token is in no log."""
        events = collect_log(self)
        for says in GOOD, {"active": False}, b"nonsense":
            self.login(self.plugin(Endpoint(says)), token="geheim")
        self.assertNotIn("geheim", str(events))


class TroubleTests(OAuthTestCase):
    """An endpoint that does not work: nobody gets in, nor is told to be wrong."""

    def test_nonsense(self) -> None:
        """Errors, redirects, no JSON, other JSON, and too much of it."""
        for says, status in (
            (GOOD, 500), (GOOD, 401), (GOOD, 302), (b"<html>", 200), (b"", 200),
            ([GOOD], 200), (b"[" * 900, 200), (b'{"a":"' + b"x" * 2000, 200),
        ):  # fmt: skip
            said, site = self.login(self.plugin(Endpoint(says, status)))
            self.assertEqual(said, LATER, (says, status))
            self.assertNotIn("auth_fails", site.connection.notes)

    def test_silent(self) -> None:
        """One that does not answer in time."""
        plugin = self.plugin(Endpoint(None), timeout=5)
        site = auth_site(plugin)
        message = b64("n,,\x01auth=Bearer tok\x01\x01")
        self.assertEqual(self.ask(site, f"AUTH OAUTHBEARER {message}"), "")
        self.clock.advance(5)
        self.assertEqual(site.client.hear()[:9], LATER)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_told(self) -> None:
        """A URL that is none, or not safe, is told of."""
        for url, count in (
            (URL, 0), ("http://127.0.0.1:8080/x", 0), ("http://id.example/", 1),
            ("", 1), ("id.example", 1), ("ftp://id.example/", 1),
        ):  # fmt: skip
            plugin = self.plugin(Endpoint(GOOD))
            plugin.options = OAuthOptions(introspection_url=url)
            self.assertEqual(len(list(plugin.problems)), count, url)


class CacheTests(OAuthTestCase):
    """What is believed for a while."""

    def test_asked_once(self) -> None:
        """The endpoint is asked again when the time is over."""
        endpoint = Endpoint(GOOD)
        plugin = self.plugin(endpoint, cache=60)
        for seconds, asked in ((0, 1), (59, 1), (2, 2)):
            self.now += seconds
            self.assertEqual(self.login(plugin)[0], SUCCESS)
            self.assertEqual(len(endpoint.asked), asked)
        self.login(plugin, token="other")
        self.assertEqual(len(endpoint.asked), 3)

    def test_not_beyond_its_end(self) -> None:
        """No longer than the token is good itself."""
        endpoint = Endpoint({**GOOD, "exp": 1_000_010})
        plugin = self.plugin(endpoint, cache=60)
        self.assertEqual(self.login(plugin)[0], SUCCESS)
        self.now += 11
        self.assertEqual(self.login(plugin)[0], FAILED)

    def test_bad_ones_are_not_kept(self) -> None:
        """A token that becomes good is good at once."""
        endpoint = Endpoint({"active": False})
        plugin = self.plugin(endpoint)
        self.assertEqual(self.login(plugin)[0], FAILED)
        endpoint.says = GOOD
        self.assertEqual(self.login(plugin)[0], SUCCESS)

    def test_bounded(self) -> None:
        """So many tokens and no more; the oldest goes."""
        cache = TokenCache(2)
        for token in "abc":
            cache.put(token, token, 10)
        self.assertEqual(len(cache), 2)
        self.assertEqual([cache.get(token, 1) for token in "abc"], [None, "b", "c"])
        self.assertIsNone(cache.get("b", 10))
        self.assertEqual(len(cache), 1)
