"""C{auth/http}: passwords, and a web server that knows them."""

import base64
import json
from typing import Any

import attrs
from treq.testing import RequestTraversalAgent
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from harakatw.config.options import load_options
from harakatw.net.web import WebClient
from harakatw.plugins.auth.http import HTTP, MAX_AT_ONCE, HTTPOptions
from tests.auth.sites import auth_site, b64, offered, plain, say
from tests.config.folders import ConfigTestCase
from tests.log_events import collect_log
from tests.sessions import Site

SUCCESS = "235 2.7.0"
FAILED = "535 5.7.8"
LATER = "454 4.7.0"

URL = "https://users.example/check"


@attrs.frozen
class Asked:
    """A question that a server got."""

    method: bytes
    content_type: str
    body: bytes
    credentials: tuple[bytes, bytes]
    api_key: str | None

    @property
    def json(self) -> object:
        """The body."""
        return json.loads(self.body)


class Server(Resource):
    """
    Knows the password that a test wants.

    @ivar asked: what it was asked.
    @ivar held: questions without an answer.
    """

    isLeaf = True

    def __init__(self, status: int | None = 204, body: object = b"") -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Twisted's
        self.status, self.body = status, body
        self.asked: list[Asked] = []
        self.held: list[Any] = []

    def render(self, request: Any) -> Any:
        """Answer."""
        self.asked.append(
            Asked(
                request.method,
                request.getHeader("content-type") or "",
                request.content.read(),
                (request.getUser(), request.getPassword()),
                request.getHeader("x-api-key"),
            )
        )
        if self.status is None:
            self.held.append(request)
            return NOT_DONE_YET
        request.setResponseCode(self.status)
        told = self.body
        return told if isinstance(told, bytes) else json.dumps(told).encode()


class HTTPTestCase(SynchronousTestCase):
    """Has the plugin, with a server in memory."""

    def plugin(self, server: Server, **options: Any) -> HTTP:
        """The plugin that asks it."""
        self.clock = Clock()
        self.now = 1_000_000.0
        chosen = HTTPOptions(**{"url": URL, **options})
        plugin = HTTP(
            "auth/http", options=chosen, reactor=self.clock, now=lambda: self.now
        )
        self.agent = RequestTraversalAgent(server)  # type: ignore[no-untyped-call]
        plugin._web = WebClient(self.agent, self.clock, chosen.timeout, 1000)
        return plugin

    def ask(self, site: Site, line: str) -> str:
        """Say something, and let the server be asked."""
        site.client.hear()
        site.client.say(line)
        self.agent.flush()  # type: ignore[no-untyped-call]
        site.server.clock.pump([1.0] * 20)
        return site.client.hear()[:9]

    def login(
        self, plugin: HTTP, user: str = "ann@example.com", password: str = "p w"
    ) -> tuple[str, Site]:
        """The answer to PLAIN, and where it was given."""
        site = auth_site(plugin)
        return self.ask(site, plain(user, password)), site


class QuestionTests(HTTPTestCase):
    """What the server is asked."""

    def test_json(self) -> None:
        """By default a JSON object is posted."""
        server = Server()
        said, site = self.login(self.plugin(server), "änn@example.com", 'p"w')
        self.assertEqual(said, SUCCESS)
        self.assertEqual(site.connection.notes["auth_user"], "änn@example.com")
        (asked,) = server.asked
        self.assertEqual(asked.method, b"POST")
        self.assertTrue(asked.content_type.startswith("application/json"))
        self.assertEqual(asked.json, {"user": "änn@example.com", "password": 'p"w'})
        self.assertEqual((asked.credentials, asked.api_key), ((b"", b""), None))

    def test_form(self) -> None:
        """As a form, with the names that the server wants; nothing can be added."""
        server = Server()
        plugin = self.plugin(
            server, send="form", method="PUT", user_field="u", password_field="p"
        )
        self.assertEqual(self.login(plugin, "ann&admin=1", "a=b")[0], SUCCESS)
        (asked,) = server.asked
        self.assertEqual(asked.method, b"PUT")
        self.assertEqual(asked.content_type, "application/x-www-form-urlencoded")
        self.assertEqual(asked.body, b"u=ann%26admin%3D1&p=a%3Db")

    def test_basic(self) -> None:
        """By HTTP's own means, without a body (RFC 7617)."""
        server = Server(200)
        plugin = self.plugin(server, send="basic", method="GET")
        self.assertEqual(self.login(plugin, "ann", "a:b")[0], SUCCESS)
        (asked,) = server.asked
        self.assertEqual((asked.method, asked.body), (b"GET", b""))
        self.assertEqual(asked.credentials, (b"ann", b"a:b"))

    def test_basic_colon(self) -> None:
        """
        A user with a colon is nobody there: else C{ann:x} would be Ann with another
        password (RFC 7617 section 2).
        """
        server = Server(200)
        plugin = self.plugin(server, send="basic")
        self.assertEqual(self.login(plugin, "ann:x", "y")[0], FAILED)
        self.assertEqual(server.asked, [])

    def test_who_we_are(self) -> None:
        """The server knows us by a password or a header of our own."""
        server = Server()
        plugin = self.plugin(
            server,
            client_user="mx",
            client_password="sesam",
            headers={"X-API-Key": "k"},
        )
        self.login(plugin)
        (asked,) = server.asked
        self.assertEqual(asked.credentials, (b"mx", b"sesam"))
        self.assertEqual(asked.api_key, "k")

    def test_login(self) -> None:
        """By LOGIN, too; no password is offered to be sent as a digest."""
        plugin = self.plugin(Server())
        site = auth_site(plugin)
        self.assertEqual(offered(site), ["PLAIN", "LOGIN"])
        self.ask(site, f"AUTH LOGIN {b64('ann')}")
        self.assertEqual(self.ask(site, b64("secret")), SUCCESS)


class AnswerTests(HTTPTestCase):
    """What its answers mean."""

    def test_no(self) -> None:
        """401 and 403 mean a wrong password (RFC 9110 sections 15.5.2 and 15.5.4)."""
        for status in 401, 403:
            said, site = self.login(self.plugin(Server(status)))
            self.assertEqual(said, FAILED)
            self.assertFalse(site.connection.relaying)

    def test_trouble(self) -> None:
        """Anything else means that nobody knows; this does not count as a failure."""
        for status, body in (
            (500, b""), (302, b""), (404, b""), (201, b""), (429, b""),
            (200, {"user": 5}), (200, {"user": ""}), (200, b"x" * 2000),
        ):  # fmt: skip
            said, site = self.login(self.plugin(Server(status, body)))
            self.assertEqual(said, LATER, (status, body))
            self.assertNotIn("auth_fails", site.connection.notes)

    def test_silent(self) -> None:
        """A server that does not answer in time."""
        plugin = self.plugin(Server(None), timeout=5)
        site = auth_site(plugin)
        self.assertEqual(self.ask(site, plain("ann", "secret")), "")
        self.clock.advance(5)
        self.assertEqual(site.client.hear()[:9], LATER)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_name(self) -> None:
        """The server may know the user by another name, which counts from then on."""
        for told, wanted in (
            ({"user": "ann@example.com"}, "ann@example.com"),
            ({"ok": True}, "Ann"),
            ([1], "Ann"),
            (b"welcome", "Ann"),
        ):
            _, site = self.login(self.plugin(Server(200, told)), "Ann")
            self.assertEqual(site.connection.notes["auth_user"], wanted)
        plugin = self.plugin(Server(200, {"mail": "a@b.example"}), user_claim="mail")
        _, site = self.login(plugin, "Ann")
        self.assertEqual(site.connection.notes["auth_user"], "a@b.example")

    def test_evil_name(self) -> None:
        """A name with control characters is nobody's."""
        said, site = self.login(self.plugin(Server(200, {"user": "ann\r\nx"})))
        self.assertEqual(said, FAILED)
        self.assertFalse(site.connection.relaying)

    def test_constrained(self) -> None:
        """Users write in the name of the domain that the server gave them."""
        server = Server(200, {"user": "ann@example.com"})
        _, site = self.login(self.plugin(server), "ann")
        self.assertEqual(say(site, "MAIL FROM:<a@example.org>")[:3], "553")
        _, site = self.login(self.plugin(server, constrain_sender=False), "ann")
        self.assertEqual(say(site, "MAIL FROM:<a@example.org>")[:3], "250")

    def test_not_logged(self) -> None:
        """Neither the user's password nor ours is in any log."""
        events = collect_log(self)
        for status in 204, 403, 500:
            plugin = self.plugin(
                Server(status), client_user="mx", client_password="sesam"
            )
            self.login(plugin, password="geheim")
        basic = base64.b64encode(b"mx:sesam").decode()
        for secret in "geheim", "sesam", basic:
            self.assertNotIn(secret, str(events))


class LoadTests(HTTPTestCase):
    """How often it is asked."""

    def test_cache(self) -> None:
        """A right password is believed for a while if wanted, and a wrong one never."""
        server = Server(200, {"user": "ann@example.com"})
        plugin = self.plugin(server, cache=60)
        for seconds, asked in ((0, 1), (59, 1), (2, 2)):
            self.now += seconds
            said, site = self.login(plugin, "ann")
            self.assertEqual((said, len(server.asked)), (SUCCESS, asked))
            self.assertEqual(site.connection.notes["auth_user"], "ann@example.com")
        server.status = 403
        for _ in range(2):
            self.assertEqual(self.login(plugin, "ann", "other")[0], FAILED)
            self.assertEqual(self.login(plugin, "bob")[0], FAILED)
        self.assertEqual(len(server.asked), 6)

    def test_no_cache(self) -> None:
        """By default it is asked each time."""
        server = Server()
        plugin = self.plugin(server)
        self.login(plugin)
        self.login(plugin)
        self.assertEqual((len(server.asked), len(plugin._cache)), (2, 0))

    def test_flood(self) -> None:
        """Many logins at once open no more than so many connections."""
        server = Server(None)
        plugin = self.plugin(server)
        sites = [auth_site(plugin) for _ in range(MAX_AT_ONCE + 3)]
        for site in sites:
            self.ask(site, plain("ann", "secret"))
        self.assertEqual(len(server.held), MAX_AT_ONCE)
        server.held[0].finish()
        self.agent.flush()  # type: ignore[no-untyped-call]
        self.assertEqual(len(server.held), MAX_AT_ONCE + 1)
        self.assertEqual(sites[0].client.hear()[:9], SUCCESS)


class OptionsTests(ConfigTestCase):
    """What C{auth_http.ini} says."""

    def plugin(self, text: str) -> HTTP:
        """The plugin with this file."""
        self.write("auth_http.ini", text)
        loaded = load_options(HTTPOptions, self.files(), "auth/http")
        self.assertEqual(loaded.problems, ())
        return HTTP(
            "auth/http", options=loaded.options, reactor=Clock(), now=lambda: 0.0
        )

    def test_good(self) -> None:
        """Sections and all."""
        for text in (
            f"url={URL}\n[headers]\nX-API-Key=abc\n",
            "url=http://127.0.0.1:8080/\n",
            "url=http://[fd00::1]/\nmethod=GET\nsend=basic\n",
            "url=http://users.example/\nallow_clear=true\n",
        ):
            plugin = self.plugin(text)
            self.assertEqual(list(plugin.problems), [], text)
            self.assertEqual(offered(auth_site(plugin)), ["PLAIN", "LOGIN"])

    def test_mistakes(self) -> None:
        """Each is told by its key, and nothing is offered."""
        for text, key in (
            ("", "url"),
            ("url=users.example\n", "url"),
            ("url=https://[users/\n", "url"),
            ("url=ftp://users.example/\n", "url"),
            ("url=http://users.example/\n", "url"),
            (f"url={URL}\nmethod=GET\n", "method"),
            (f"url={URL}\nsend=basic\nclient_user=mx\n", "client_user"),
            (f"url={URL}\npassword_field=user\n", "password_field"),
        ):
            plugin = self.plugin(text)
            self.assertEqual([each.key for each in plugin.problems], [key], text)
            self.assertEqual(offered(auth_site(plugin)), [])
