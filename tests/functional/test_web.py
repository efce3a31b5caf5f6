"""Asking web servers, over real sockets."""

from typing import Any

from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.trial.unittest import TestCase
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Site

from harakatw.net.web import WebError, make_web_client
from tests.functional.hurry import reactor


class Says(Resource):
    """Says something, or nothing at all."""

    isLeaf = True

    def __init__(self, text: bytes | None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Twisted's
        self.text = text
        self.requests: list[Any] = []

    def render_POST(self, request: Any) -> Any:
        """Answer."""
        self.requests.append((request.args, request.getHeader("content-type")))
        return NOT_DONE_YET if self.text is None else self.text


class WebTests(TestCase):
    """One question, one answer."""

    async def serve(self, text: bytes | None) -> tuple[str, Says]:
        """Start a server; its URL."""
        resource = Says(text)
        site: Any = Site(resource)
        endpoint = TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1")
        port = await endpoint.listen(site)

        async def stop() -> None:
            for connection in list(self.open):
                connection.abortConnection()
            await port.stopListening()

        self.open: list[Any] = []
        build = site.buildProtocol

        def tapped(address: Any) -> Any:
            protocol = build(address)
            made = protocol.makeConnection

            def make(transport: Any) -> None:
                self.open.append(transport)
                made(transport)

            protocol.makeConnection = make
            return protocol

        site.buildProtocol = tapped
        self.addCleanup(stop)
        return f"http://127.0.0.1:{port.getHost().port}/x", resource

    async def fails(self, url: str, seconds: float = 5) -> str:
        """Ask, and return why there is no answer."""
        try:
            await make_web_client(reactor, seconds).post_form(url, {"a": "b"})
        except WebError as error:
            return str(error)
        raise AssertionError("there was an answer")

    async def test_form(self) -> None:
        """A form arrives, and the answer comes back."""
        url, server = await self.serve(b"fine")
        client = make_web_client(reactor, 5)
        answer = await client.post_form(url, {"a": "b&c", "d": ""}, user="u")
        self.assertEqual((answer.status, answer.octets), (200, b"fine"))
        (form, kind) = server.requests[0]
        self.assertEqual(form, {b"a": [b"b&c"], b"d": [b""]})
        self.assertEqual(kind, "application/x-www-form-urlencoded")

    async def test_silent(self) -> None:
        """A server that says nothing is not waited for for long."""
        url, _ = await self.serve(None)
        self.assertEqual(await self.fails(url, 0.1), "no answer within 0.1 seconds")

    async def test_too_much(self) -> None:
        """Nor is more taken than can be of use."""
        url, _ = await self.serve(b"x" * 100_000)
        self.assertEqual(await self.fails(url), "more than 65536 octets")

    async def test_nobody(self) -> None:
        """Nobody listens, or the URL is none."""
        self.assertIn("refused", await self.fails("http://127.0.0.1:1/"))
        for url in "gopher://127.0.0.1/", "nonsense", "":
            self.assertNotEqual(await self.fails(url), "")
