"""Users whom a web server knows: both servers, and a client, over sockets."""

import json
from typing import Any

from twisted.internet.threads import deferToThread
from twisted.web.resource import Resource
from twisted.web.server import Site

from tests.functional.hurry import reactor
from tests.functional.server import ServerTestCase
from tests.functional.test_auth_ldap import log_in


class Accounts(Resource):
    """An application that knows Ann."""

    isLeaf = True

    def render_POST(self, request: Any) -> bytes:
        """Answer."""
        asked = json.loads(request.content.read())
        if request.getHeader("x-api-key") != "key":
            request.setResponseCode(500)
        elif asked != {"user": "ann", "password": "p w"}:
            request.setResponseCode(403)
        return b'{"user": "ann@here.example"}'


class WebServerTests(ServerTestCase):
    """One server asks the other."""

    async def codes(self, port: int, key: str) -> list[int]:
        """What a right password and a wrong one are answered."""
        server = self.start(
            {
                "config/plugins": "auth/http\n",
                "config/auth.ini": "require_tls=false\nmax_delay=0\n",
                "config/auth_http.ini": f"url=http://127.0.0.1:{port}/check\n"
                f"[headers]\nX-API-Key={key}\n",
            }
        )
        logins = ("ann", "p w"), ("ann", "wrong")
        codes = await deferToThread(log_in, server.port, logins)
        await server.stop()
        return codes

    async def test_login(self) -> None:
        """The password that the web server knows is right, and no other."""
        site = Site(Accounts())
        listening = reactor.listenTCP(0, site, interface="127.0.0.1")
        port = listening.getHost().port
        try:
            self.assertEqual(await self.codes(port, "key"), [235, 535])
            self.assertEqual(await self.codes(port, "wrong"), [454, 454])
        finally:
            await listening.stopListening()
        self.assertEqual(await self.codes(port, "key"), [454, 454])
