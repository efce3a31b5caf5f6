"""Whom a forwarded message came from, by the ways in which programs forward."""

import base64
import quopri
import time

from twisted.trial.unittest import SynchronousTestCase

from harakatw.plugins._forwarded import forwarded_sender
from tests.properties import given, st

HEADER = b"From: user@here.example\r\nSubject: Fwd: win\r\n"
HTML = (
    "<div><b>From:</b> Big Win &lt;win@spam.example&gt;<br><b>To:</b> me &lt;"
    "me@here.example&gt;</div>" + "<p>x</p>" * 40
)


def found(body: bytes | str, header: bytes = HEADER) -> str:
    """What is found in a body."""
    return forwarded_sender(header, body.encode() if isinstance(body, str) else body)


class FormTests(SynchronousTestCase):
    """Text, HTML and attachments."""

    def test_text(self) -> None:
        """The lines that programs put in front of what they forward."""
        for line in (
            "From: Big Win <win@spam.example>",
            "From: win@spam.example",
            "> From: Big Win <Win@Spam.Example>",
            "From:   <win@spam.example>",
            "From: Big Win [mailto:win@spam.example]",
            "From: Big\r\n Win <win@spam.example>",
            '> From: "Win, Big"\r\n>  <win@spam.example>',
            "*From:* Big Win <mailto:win@spam.example>",
            "From: Big Win <win@spam.example> Sent: today To: x <me@here.example>",
        ):
            body = f"see below\r\n\r\n{line}\r\nTo: me <me@here.example>\r\n"
            self.assertEqual(found(body), "win@spam.example", line)

    def test_misleading_name(self) -> None:
        """An address in the display name is not taken for the sender's."""
        for line in (
            "From: boss@here.example <win@spam.example>",
            'From: "<boss@here.example>" <win@spam.example>',
        ):
            self.assertEqual(found(f"{line}\r\n"), "win@spam.example")

    def test_nobody(self) -> None:
        """Without an address on the From line nobody is blocked."""
        for body in (
            "",
            "no sender at all",
            "From: Big Win\r\nTo: me@here.example\r\n",
            "From: Big Win To: me@here.example",
            "Reply to win@spam.example",
            "from what I hear: win@spam.example",
            "From: <win@>",
        ):
            self.assertEqual(found(body), "", body)

    def test_own_header(self) -> None:
        """The From field of the message itself is the user's and is not looked at."""
        self.assertEqual(found("nothing"), "")

    def test_attachment(self) -> None:
        """A message that is attached as a whole, even behind encoded text."""
        body = (
            "--b\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n"
            f"\r\n{base64.b64encode(b'see attached mail').decode()}\r\n--b\r\n"
            "Content-Type: message/rfc822\r\n\r\nReceived: from x\r\n"
            "From: Big Win <win@spam.example>\r\nSubject: win\r\n\r\nbuy\r\n--b--\r\n"
        )
        self.assertEqual(found(body), "win@spam.example")

    def test_html(self) -> None:
        """HTML, as it is and in both encodings."""
        kind = b"Content-Type: text/html\r\n"
        self.assertEqual(found(HTML, HEADER + kind), "win@spam.example")
        quoted = quopri.encodestring(HTML.encode()).replace(b"\n", b"\r\n")
        encoding = b"Content-Transfer-Encoding: quoted-printable\r\n"
        self.assertEqual(found(quoted, HEADER + encoding), "win@spam.example")
        encoding = b"Content-transfer-encoding:  BASE64\r\n"
        encoded = base64.encodebytes(HTML.encode()).replace(b"\n", b"\r\n")
        self.assertEqual(found(encoded, HEADER + encoding), "win@spam.example")

    def test_address_cut_by_the_encoding(self) -> None:
        """An address that quoted-printable cut in two is put together."""
        body = "From: Big Win <win@spam=\r\n.example>\r\n"
        encoding = b"Content-Transfer-Encoding: quoted-printable\r\n"
        self.assertEqual(found(body, HEADER + encoding), "win@spam.example")

    def test_link(self) -> None:
        """A sender that stands in a link."""
        html = '<b>From:</b> Win <a href="mailto:win@spam.example">win@x</a><br>'
        self.assertEqual(found(html), "win@spam.example")


class HostileTests(SynchronousTestCase):
    """What a forwarded message may hold to do harm."""

    def test_safe_text(self) -> None:
        """No line end, comment sign or blank gets into what will stand in a list."""
        for line in (
            "From: <win@spam.example\r\nother@here.example>",
            f"From: <{'a' * 65}@spam.example>",
            "From: <#@spam.example>",
            'From: <"a b"@spam.example>',
            "From: <win@spam.example\x00>",
            "From: <w\u2028n@spam.example>",
        ):
            address = found(f"{line}\r\n")
            self.assertRegex(address, r"\A(?:[a-z]{1,64}@[a-z.]+)?\Z")

    def test_long(self) -> None:
        """The worst that a megabyte can be is searched in no time (rows 13 and 14)."""
        began = time.perf_counter()
        for unit in (
            b"From:",
            b"From: a",
            b"From: a.\r\n",
            b"From: <",
            b"From: a@a",
            b"Content-Transfer-Encoding: base64\r\n",
            b"Content-Transfer-Encoding: base64\r\n\r\nAAA=\r\n",
            b"Content-Transfer-Encoding: quoted-printable\r\n=\r\n",
            b"=\r\n",
            b"\r\n ",
            b"a",
        ):
            forwarded_sender(b"", (unit * (1 << 20))[: 1 << 20])
            forwarded_sender(b"", b"From: " + (unit * (1 << 20))[: 1 << 20])
        self.assertLess(time.perf_counter() - began, 20)

    @given(st.binary(), st.binary())
    def test_anything(self, header: bytes, body: bytes) -> None:
        """Whatever octets come, they are searched without an error."""
        self.assertIsInstance(forwarded_sender(header, b"From: " + body), str)
