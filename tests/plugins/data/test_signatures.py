"""C{data.signatures}: strings that no message may hold (row PB07)."""

from base64 import b64encode

from twisted.trial.unittest import SynchronousTestCase

from harakatw.config.options import load_options
from harakatw.plugins.data.signatures import Signatures, SignaturesOptions
from tests.config.folders import ConfigTestCase
from tests.fake_plugins import fake_plugin
from tests.message.mime.walks import multipart
from tests.sessions import Site, make_site

REFUSED = "550 5.7.1 Mail matches a known spam signature\r\n"


def plugin(*signatures: str) -> Signatures:
    """The plugin with this list."""
    options = SignaturesOptions(signatures=signatures)
    return Signatures(options, "data.signatures")


def site(*signatures: str) -> Site:
    """A site with the plugin."""
    return make_site(plugin(*signatures))


def answer(where: Site, octets: bytes) -> str:
    """Send a message; what is answered?"""
    return where.send_message(octets + b"\r\n.\r\n")


class SignaturesTests(SynchronousTestCase):
    """Which messages are refused."""

    def test_text(self) -> None:
        """A message with one of the strings is refused; case matters."""
        where = site("buy this", "Ünder")
        self.assertEqual(answer(where, b"Subject: x\r\n\r\nYou buy this now"), REFUSED)
        self.assertEqual(answer(where, "\r\nÜnderhand".encode()), REFUSED)
        for text in b"\r\nBuy this", b"Subject: buy this\r\n\r\nx":
            self.assertEqual(answer(where, text)[:3], "250", text)

    def test_encoded(self) -> None:
        """Encoding hides nothing, in no part of any depth."""
        coded = b"Content-Transfer-Encoding: base64\r\n\r\n" + b64encode(b"buy this")
        octets = multipart(
            b"\r\nharmless",
            b"Content-Type: message/rfc822\r\n\r\n" + multipart(coded, boundary="i"),
        )
        self.assertEqual(answer(site("buy this"), octets), REFUSED)

    def test_attachment(self) -> None:
        """What is attached is not searched."""
        octets = multipart(b"Content-Type: image/x\r\n\r\nbuy this")
        self.assertEqual(answer(site("buy this"), octets)[:3], "250")

    def test_no_list(self) -> None:
        """Without a list, messages are not taken apart."""
        bodies: list[object] = []
        look = fake_plugin(
            data_post=lambda connection: bodies.append(connection.transaction.body)
        )
        where = make_site(plugin(), look)
        self.assertEqual(answer(where, b"\r\nx")[:3], "250")
        self.assertEqual(bodies, [None])

    def test_result(self) -> None:
        """The string that was found is the plugin's result."""
        results: list[object] = []
        look = fake_plugin(
            reset_transaction=lambda connection: results.append(
                connection.transaction.results.get("data.signatures")
            )
        )
        answer(make_site(plugin("a", "b"), look), b"\r\nxbx")
        self.assertIn("'b'", str(results))


class OptionTests(ConfigTestCase):
    """Where the list comes from."""

    def test_list(self) -> None:
        """It is a file of one string a line."""
        self.write("data.signatures", "one string\n# a comment\ntwo\n")
        loaded = load_options(SignaturesOptions, self.files(), "data.signatures")
        self.assertEqual(loaded.options.signatures, ("one string", "two"))
        self.assertEqual(loaded.problems, ())
