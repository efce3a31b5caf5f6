"""The lines of C{MAIL FROM} and C{RCPT TO}."""

from twisted.trial.unittest import SynchronousTestCase

from harakatw.address import Address
from harakatw.errors import ProtocolError
from harakatw.reply import Reply
from harakatw.wire.params import EMPTY_PARAMS, Params
from harakatw.wire.path import FROM, TO, parse_path
from tests.properties import given, settings, st


def read(
    line: bytes, *, utf8: bool = False, strict: bool = False, postel: bool = False
) -> tuple[Address, Params]:
    """Read a whole command line."""
    verb, _, argument = line.partition(b" ")
    keyword = {b"MAIL": FROM, b"RCPT": TO}[verb]
    return parse_path(argument, keyword, utf8=utf8, strict=strict, postel=postel)


class _PathCase(SynchronousTestCase):
    def refusal(
        self,
        line: bytes,
        *,
        utf8: bool = False,
        strict: bool = False,
        postel: bool = False,
    ) -> Reply:
        """The reply to a line that is not taken."""
        error: ProtocolError = self.assertRaises(
            ProtocolError, read, line, utf8=utf8, strict=strict, postel=postel
        )
        return error.reply


class TakenTests(_PathCase):
    """Lines that are taken, and what they mean."""

    def test_without_parameters(self) -> None:
        """The lines of nearly every message share one empty set of parameters."""
        for line in (
            b"MAIL FROM:<u@D.example>",
            b"MAIL from:<u@D.example> ",
            b"RCPT TO:<u@D.example>",
        ):
            address, params = read(line, strict=True)
            self.assertEqual(address, Address("u", "d.example"))
            self.assertEqual(address.original, "u@D.example")
            self.assertIs(params, EMPTY_PARAMS)

    def test_table(self) -> None:
        """Commands as clients of all ages send them."""
        for line, path, params in (
            (b"MAIL FROM:<>", "<>", {}),
            (b"MAIL FROM:<> SIZE=12", "<>", {"SIZE": "12"}),
            (b"MAIL FROM:", "<>", {}),
            (b"MAIL From: <>", "<>", {}),
            (b"MAIL FROM:u@d", "<u@d>", {}),
            (b"MAIL FROM: u@d size=12", "<u@d>", {"SIZE": "12"}),
            (b"MAIL FROM:<u@d> size=12", "<u@d>", {"SIZE": "12"}),
            (b"MAIL FROM:<u@d> flag", "<u@d>", {"FLAG": None}),
            (
                b"MAIL FROM:<u@d> flag body=8BITMIME",
                "<u@d>",
                {"FLAG": None, "BODY": "8BITMIME"},
            ),
            (b"MAIL FROM:<u@d>  ", "<u@d>", {}),
            (b"MAIL FROM:<u@d>\t SIZE=1 \t X-Y=z ", "<u@d>", {"SIZE": "1", "X-Y": "z"}),
            (b'MAIL FROM:<"a> b"@d> SIZE=1', '<"a> b"@d>', {"SIZE": "1"}),
            (b'MAIL FROM:"a b"@d SIZE=1', '<"a b"@d>', {"SIZE": "1"}),
            (
                b"RCPT TO: 7@mail.example 0=9 1=9",
                "<7@mail.example>",
                {"0": "9", "1": "9"},
            ),
            (b"RCPT TO:<x-ray@d.example> state=1", "<x-ray@d.example>", {"STATE": "1"}),
            (b"RCPT TO:<k=v@d.example> a=b", "<k=v@d.example>", {"A": "b"}),
            (b"RCPT TO:k=v@d.example", "<k=v@d.example>", {}),
            (b"RCPT TO:<postmaster>", "<postmaster>", {}),
            (b"RCPT TO:Postmaster", "<postmaster>", {}),
            (b"RCPT TO:<@a,@b:u@d>", "<u@d>", {}),
            (
                b"RCPT TO:<u@[192.0.2.1]> NOTIFY=NEVER",
                "<u@[192.0.2.1]>",
                {"NOTIFY": "NEVER"},
            ),
        ):
            address, found = read(line)
            self.assertEqual(address.format(), path, line)
            self.assertEqual(dict(found), params, line)

    def test_postel(self) -> None:
        """C{main.postel} takes blanks within the brackets, too."""
        address, params = read(b"MAIL FROM: < u@d > SIZE=1", postel=True)
        self.assertEqual(address.format(), "<u@d>")
        self.assertEqual(dict(params), {"SIZE": "1"})

    def test_long_but_plain(self) -> None:
        """A line in the usual form is told when its address is too long."""
        reply = self.refusal(b"MAIL FROM:<" + b"u" * 65 + b"@d> SIZE=1")
        self.assertEqual(reply.encoded[:9], b"501 5.1.7")
        self.assertIn("64", reply.text)


class RefusedTests(_PathCase):
    """Lines that are not taken."""

    def test_sender(self) -> None:
        """A malformed sender is told so with status 5.1.7."""
        for line in (
            b"MAIL FROM:user",
            b"MAIL FROM:user SIZE=12",
            b"MAIL FROM:<postmaster>",
            b"MAIL FROM: SIZE=12",
            b"MAIL FROM:<u@d",
            b"MAIL FROM:u@d>",
            b"MAIL FROM:<u@d>SIZE=1",
            b"MAIL FROM:<u@d><v@e>",
            b'MAIL FROM:<"u@d> SIZE=1',
            b'MAIL FROM:"u@d',
            b"MAIL FROM:<<u@d>>",
            b"MAIL FROM:< u@d >",
            b"MAIL FROM:<u@d.>",
            b"MAIL FROM:Bob",
        ):
            self.assertEqual(self.refusal(line).encoded[:9], b"501 5.1.7", line)

    def test_recipient(self) -> None:
        """A malformed recipient is told so with status 5.1.3."""
        for line in (
            b"RCPT TO:",
            b"RCPT TO:<>",
            b"RCPT TO:<abuse>",
            b"RCPT TO:abuse",
            b"RCPT TO:<u@victim@local>",
            b"RCPT TO:u@victim@local",
            b"RCPT TO:<u@local\0.victim>",
            b'RCPT TO:<"a\r\nBcc: z"@d>',
        ):
            self.assertEqual(self.refusal(line).encoded[:9], b"501 5.1.3", line)

    def test_keyword(self) -> None:
        """A client that forgets the keyword or its colon sees how it should look."""
        for line in (b"MAIL", b"MAIL <u@d>", b"MAIL FROM <u@d>", b"MAIL TO:<u@d>"):
            reply = self.refusal(line)
            self.assertEqual(reply.encoded[:9], b"501 5.5.4", line)
            self.assertIn("MAIL FROM:<", reply.text)
        self.assertIn("RCPT TO:<", self.refusal(b"RCPT FROM:<u@d>").text)

    def test_parameters(self) -> None:
        """Text after the address that is no parameter is refused."""
        for line in (
            b"MAIL FROM:<u@d> =1",
            b"MAIL FROM:<u@d> A=",
            b"MAIL FROM:<u@d> A=b=c",
            b"MAIL FROM:u@d v@e",
            b"MAIL FROM:a b@d",
            b"RCPT TO:<u@d> A=\xff",
        ):
            self.assertEqual(self.refusal(line).encoded[:9], b"501 5.5.4", line)


class StrictTests(_PathCase):
    """C{main.strict_rfc1869}: the line looks as in RFC 5321 section 4.1.1.2."""

    def test_taken(self) -> None:
        """The right form, with a blank at the end as section 4.1.1 tolerates."""
        for line in (
            b"MAIL FROM:<>",
            b"MAIL from:<u@d> SIZE=1",
            b"RCPT TO:<u@d> ",
            b'RCPT TO:<"a b"@d>',
        ):
            read(line, strict=True)

    def test_refused(self) -> None:
        """No blank after the colon, and no address without brackets."""
        for line in (
            b"MAIL FROM: <u@d>",
            b"MAIL FROM:u@d",
            b"MAIL FROM:",
            b"RCPT TO: <u@d>",
            b"RCPT TO:\t<u@d>",
            b"RCPT TO:u@d",
            b"RCPT TO:postmaster",
        ):
            for postel in (False, True):
                reply = self.refusal(line, strict=True, postel=postel)
                self.assertEqual(reply.encoded[:9], b"501 5.5.4", line)


class InternationalTests(_PathCase):
    """Addresses that need SMTPUTF8 (RFC 6531)."""

    MAIL = "MAIL FROM:<ü@bücher.example>".encode()
    RCPT = "RCPT TO:<ü@bücher.example>".encode()

    def test_sender(self) -> None:
        """The parameter that stands after the address decides about it."""
        address, params = read(self.MAIL + b" SMTPUTF8", utf8=True)
        self.assertEqual(address.format(), "<ü@xn--bcher-kva.example>")
        self.assertEqual(dict(params), {"SMTPUTF8": None})

    def test_sender_without_parameter(self) -> None:
        """An offer that the client does not take up changes nothing."""
        self.assertEqual(self.refusal(self.MAIL, utf8=True).encoded[:9], b"550 5.6.7")

    def test_sender_without_offer(self) -> None:
        """A parameter that was not on offer does not count."""
        reply = self.refusal(self.MAIL + b" SMTPUTF8", utf8=False)
        self.assertEqual(reply.encoded[:9], b"550 5.6.7")

    def test_recipient(self) -> None:
        """A recipient may be international if the sender's command said so."""
        self.assertTrue(read(self.RCPT, utf8=True)[0].is_utf8)
        self.assertEqual(self.refusal(self.RCPT).encoded[:9], b"553 5.6.7")

    def test_value(self) -> None:
        """With SMTPUTF8 an original recipient may be UTF-8 (RFC 6533)."""
        line = "RCPT TO:<u@d> ORCPT=utf-8;ü@d".encode()
        self.assertEqual(read(line, utf8=True)[1]["ORCPT"], "utf-8;ü@d")
        self.assertEqual(self.refusal(line).encoded[:9], b"501 5.5.4")


class RandomTests(_PathCase):
    """Whatever comes, there is an answer."""

    @settings(deadline=None, max_examples=300)
    @given(
        st.sampled_from((b"", b"TO:", b"TO:<", b"TO:<u@d>", b"TO:<u@d> ", b"to: ")),
        st.binary(max_size=100)
        | st.text('ab.@<>"\\ :,[]=ü\t', max_size=100).map(str.encode),
        st.booleans(),
        st.booleans(),
        st.booleans(),
    )
    def test_octets(
        self, start: bytes, rest: bytes, utf8: bool, strict: bool, postel: bool
    ) -> None:
        """Random octets are a recipient or a protocol error, and nothing else."""
        try:
            address, params = parse_path(
                start + rest, TO, utf8=utf8, strict=strict, postel=postel
            )
        except ProtocolError as error:
            self.assertIn(error.reply.code, (501, 553))
            return
        line = f"TO:{address.format()}".encode()
        again, _ = parse_path(line, TO, utf8=True, strict=True, postel=False)
        self.assertEqual(again, address)
        self.assertTrue(all(name == name.upper() for name in params))
