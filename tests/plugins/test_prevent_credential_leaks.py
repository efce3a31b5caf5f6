"""C{prevent_credential_leaks}: who gives his password away (row PB09)."""

from typing import Any

import attrs
from twisted.trial.unittest import SynchronousTestCase

from harakatw.plugins.prevent_credential_leaks import PreventCredentialLeaks
from harakatw.verdict import CONT
from tests.fake_plugins import fake_plugin
from tests.message.mime.walks import multipart
from tests.sessions import make_site


@attrs.frozen
class Hidden:
    """A password that shows itself only when asked to."""

    text: str

    def reveal(self) -> str:
        """The password."""
        return self.text


def answer(
    octets: bytes, user: Any = "joe@b.example", password: Any = "hunter2"
) -> str:
    """What is answered to the message of a client that has logged in."""

    def log_in(connection: Any) -> object:
        connection.notes.set("auth_user", user)
        connection.notes.set("auth_passwd", password)
        return CONT

    site = make_site(
        fake_plugin(connect=log_in), PreventCredentialLeaks("prevent_credential_leaks")
    )
    return site.send_message(octets + b"\r\n.\r\n")


class LeakTests(SynchronousTestCase):
    """Which messages are refused."""

    def test_leaks(self) -> None:
        """Login and password together, wherever in the text."""
        html = b"Content-Type: text/html\r\n\r\n"
        for octets in (
            b"\r\nMy name is joe@b.example, my password hunter2.",
            b"\r\nuser=JOE;password=hunter2",
            b"Subject: joe\r\n\r\nhunter2",
            multipart(b"\r\nHello", b"\r\njoe/hunter2"),
            multipart(b"Content-Type: message/rfc822\r\n\r\n\r\njoe hunter2"),
            html + b"joe: <b>hunt</b>er2",
            html + b"joe: &#104;unter2",
            b"Content-Transfer-Encoding: base64\r\n\r\nam9lOmh1bnRlcjI=",
        ):
            self.assertEqual(answer(octets)[:9], "550 5.7.1", octets)

    def test_harmless(self) -> None:
        """One of them alone, or as a part of other words, is no leak."""
        for octets in (
            b"\r\nI am joe@b.example",
            b"\r\nhunter2",
            b"\r\njoe hunter22",
            b"\r\njoey hunter2",
            b"\r\njoe HUNTER2",
            multipart(b"\r\njoe", b"\r\nhunter2"),
        ):
            self.assertEqual(answer(octets)[:3], "250", octets)

    def test_signs(self) -> None:
        """A password of signs is found for what it is, not taken for a pattern."""
        for password in "(a+)+$", "[x", "\\", "p w":
            text = f"\r\njoe {password} ".encode()
            self.assertEqual(answer(text, password=password)[:3], "550", password)
        self.assertEqual(answer(b"\r\njoe aaa", password="(a+)+$")[:3], "250")

    def test_hidden(self) -> None:
        """A password that is kept from the log is compared all the same."""
        leak = b"\r\njoe hunter2"
        self.assertEqual(answer(leak, password=Hidden("hunter2"))[:3], "550")

    def test_not_logged_in(self) -> None:
        """Who has not shown a password cannot leak it; nothing is looked at."""
        for user, password in (None, None), ("joe", None), ("joe", ""), (1, 2):
            said = answer(b"\r\njoe None 1 2", user=user, password=password)
            self.assertEqual(said[:3], "250")
