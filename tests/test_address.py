"""The address of an envelope: what is taken, what it means, how it is sent on."""

import copy
import pickle

from twisted.trial.unittest import SynchronousTestCase

from harakatw.address import Address, parse_address
from harakatw.address_grammar import GrammarError
from harakatw.errors import ProtocolError


class ParseTests(SynchronousTestCase):
    """What a path means."""

    def test_plain(self) -> None:
        """The usual address: the host in lower case, the user as it came."""
        address = parse_address("<Bob.O@Example.COM>", utf8=False)
        self.assertEqual(address.user, "Bob.O")
        self.assertEqual(address.host, "example.com")
        self.assertEqual(address.original, "Bob.O@Example.COM")
        self.assertEqual(address.original_host, "Example.COM")
        self.assertEqual(address.address, "Bob.O@example.com")
        self.assertFalse(address.is_null)
        self.assertFalse(address.is_utf8)

    def test_brackets_or_not(self) -> None:
        """An address from a file may come without brackets; half a pair is wrong."""
        for text in ("u@d.example", "<u@d.example>", b"u@d.example", b"<u@d.example>"):
            self.assertEqual(parse_address(text, utf8=False), Address("u", "d.example"))
        for text in ("<u@d", "u@d>", "<<u@d>>", "<", ">", "<u@d>x"):
            self.assertRaises(ProtocolError, parse_address, text, utf8=False)

    def test_quoted(self) -> None:
        """Quotes come off, and go on again where the next hop needs them."""
        address = parse_address(r'<"b \"o\" b"@d.example>', utf8=False)
        self.assertEqual(address.user, 'b "o" b')
        self.assertEqual(address.format(), r'<"b \"o\" b"@d.example>')
        self.assertEqual(address.original, r'"b \"o\" b"@d.example')

    def test_needless_quotes(self) -> None:
        """A quoted and an unquoted spelling of one mailbox are equal."""
        quoted = parse_address('<"b\\ob"@d.example>', utf8=False)
        self.assertEqual(quoted, parse_address("<bob@d.example>", utf8=False))
        self.assertEqual(str(quoted), "<bob@d.example>")

    def test_empty_local_part(self) -> None:
        """C{""@d} is a mailbox, odd as it is, and not the null sender."""
        address = parse_address('<""@d.example>', utf8=False, null=True)
        self.assertFalse(address.is_null)
        self.assertEqual(address.format(), '<""@d.example>')

    def test_null(self) -> None:
        """A bounce has no sender, and nobody can be sent to C{<>}."""
        address = parse_address("<>", utf8=False, null=True)
        self.assertTrue(address.is_null)
        self.assertEqual(address.format(), "<>")
        self.assertEqual((address.user, address.host, address.address), ("", "", ""))
        self.assertRaises(ProtocolError, parse_address, "<>", utf8=False)
        self.assertRaises(ProtocolError, parse_address, "", utf8=False, null=True)

    def test_postmaster(self) -> None:
        """C{RCPT TO:<Postmaster>} works in any case (RFC 5321 section 4.1.1.3)."""
        for text in ("<postmaster>", "<Postmaster>", "POSTMASTER"):
            address = parse_address(text, utf8=False, bare_postmaster=True)
            self.assertEqual((address.user, address.host), ("postmaster", ""))
            self.assertEqual(address.format(), "<postmaster>")
            self.assertFalse(address.is_null)
        self.assertEqual(address.original, "POSTMASTER")
        self.assertRaises(ProtocolError, parse_address, "<postmaster>", utf8=False)

    def test_other_bare_words(self) -> None:
        """Nobody else can be reached without a domain."""
        for text in ("<abuse>", "<postmaster@>", '<"postmaster">', "<@a:postmaster>"):
            self.assertRaises(
                ProtocolError, parse_address, text, utf8=False, bare_postmaster=True
            )

    def test_source_route(self) -> None:
        """A source route is dropped; only the log still has it."""
        address = parse_address("<@a.example,@b.example:u@d.example>", utf8=False)
        self.assertEqual(address, Address("u", "d.example"))
        self.assertEqual(address.original, "@a.example,@b.example:u@d.example")
        self.assertEqual(address.format(), "<u@d.example>")

    def test_literals(self) -> None:
        """Address literals stay literals, in lower case."""
        for text, host in (
            ("<u@[192.0.2.1]>", "[192.0.2.1]"),
            ("<u@[IPv6:2001:DB8::1]>", "[ipv6:2001:db8::1]"),
        ):
            address = parse_address(text, utf8=False)
            self.assertEqual(address.host, host)
            self.assertEqual(f"<u@{address.original_host}>", text)

    def test_path_length(self) -> None:
        """A path has 256 octets with its brackets; C{postel} allows 998."""
        host = ".".join(["a" * 62] * 3)
        longest = f"<{'u' * 63}@{host}.b>"
        self.assertEqual(len(longest), 256)
        parse_address(longest, utf8=False)
        longer = longest.replace(".b>", ".bc>")
        self._refuses(longer, 501, "too long")
        self.assertEqual(parse_address(longest[1:-1], utf8=False).format(), longest)
        route = "<" + ",".join(["@a.example"] * 50) + ":u@d.example>"
        self._refuses(route, 501, "too long")
        address = parse_address(route, utf8=False, postel=True)
        self.assertEqual(address, Address("u", "d.example"))

    def test_long_a_label(self) -> None:
        """An address that is too long once its host is in A-labels is refused."""
        host = ".".join(["é"] * 30)
        self.assertLess(len(f"u@{host}".encode()), 254)
        error = self.assertRaises(
            ProtocolError, parse_address, f"<{'u' * 20}@{host}>", utf8=True
        )
        self.assertEqual(error.reply.code, 501)

    def test_local_part_length(self) -> None:
        """A local part has 64 octets at most; the usual form is no exception."""
        parse_address(f"<{'u' * 64}@d>", utf8=False)
        self._refuses(f"<{'u' * 65}@d>", 501, "longer than 64")

    def test_postel(self) -> None:
        """C{main.postel} takes blanks around an address and odd dots in it."""
        for text in (" u@d ", " < u@d >\t", "<u@d >"):
            address = parse_address(text, utf8=False, postel=True)
            self.assertEqual(address.format(), "<u@d>")
            self.assertRaises(ProtocolError, parse_address, text, utf8=False)
        dotted = parse_address("<.a..b.@d>", utf8=False, postel=True)
        self.assertEqual(dotted.format(), '<".a..b."@d>')
        self.assertRaises(ProtocolError, parse_address, "<.a@d>", utf8=False)

    def test_postel_is_not_ambiguous(self) -> None:
        """C{main.postel} takes nothing that two programs would cut differently."""
        for text in ("a@b@c", "a b@c", "a@b c", "a@b>", "a@b, c@d", "<a@b> <c@d>"):
            self.assertRaises(
                ProtocolError, parse_address, text, utf8=True, postel=True
            )

    def _refuses(self, text: str, code: int, why: str) -> None:
        error = self.assertRaises(ProtocolError, parse_address, text, utf8=False)
        self.assertEqual(error.reply.code, code)
        self.assertIn(why, error.reply.text)


class InternationalTests(SynchronousTestCase):
    """Addresses beyond ASCII (RFC 6531)."""

    def test_smtputf8(self) -> None:
        """The user stays as it is, the host becomes what DNS knows."""
        address = parse_address("<δοκιμή@Παράδειγμα.gr>".encode(), utf8=True)
        self.assertEqual(address.user, "δοκιμή")
        self.assertEqual(address.host, "xn--hxajbheg2az3al.gr")
        self.assertEqual(address.original_host, "Παράδειγμα.gr")
        self.assertEqual(address.format(), "<δοκιμή@xn--hxajbheg2az3al.gr>")
        self.assertTrue(address.is_utf8)

    def test_only_the_host(self) -> None:
        """A next hop without SMTPUTF8 can be told an ASCII user at an A-label."""
        address = parse_address("<u@bücher.example>", utf8=True)
        self.assertTrue(address.is_utf8)
        self.assertTrue(address.format().isascii())

    def test_without_smtputf8(self) -> None:
        """The client learns that SMTPUTF8 is missing (RFC 6531 section 3.5)."""
        for text in ("<ü@d>", "<u@ü>", "<ü@d>".encode(), "<u@[ü:a]>"):
            error = self.assertRaises(ProtocolError, parse_address, text, utf8=False)
            self.assertEqual(error.reply.encoded[:9], b"553 5.6.7")
        error = self.assertRaises(
            ProtocolError, parse_address, "<ü@d>", utf8=False, null=True
        )
        self.assertEqual(error.reply.encoded[:9], b"550 5.6.7")

    def test_invalid_utf8(self) -> None:
        """Row 36: octets that are no UTF-8 are malformed, SMTPUTF8 or not."""
        for path in (b"<\xff@d>", b"<u\xc0\x80@d>", b"<\xed\xa0\x80@d>"):
            for utf8 in (True, False):
                error = self.assertRaises(ProtocolError, parse_address, path, utf8=utf8)
                self.assertEqual(error.reply.encoded[:9], b"501 5.1.3")

    def test_lookalikes_are_no_separators(self) -> None:
        """Row 25: U+FF20 is no at-sign and U+3002 no dot, and both are refused."""
        for text in ("<u\uff20victim@local>", "<u@local\u3002victim>", "<u\uff20d>"):
            error = self.assertRaises(ProtocolError, parse_address, text, utf8=True)
            self.assertEqual(error.reply.code, 501)

    def test_mapped_host(self) -> None:
        """A full-width host is the host that it is looked up as, everywhere."""
        address = parse_address("<u@ｌｏｃａｌ.example>", utf8=True)
        self.assertEqual(address.host, "local.example")


class RelayTests(SynchronousTestCase):
    """Row 25: no grammar trick moves a recipient to another host."""

    def test_opaque_local_parts(self) -> None:
        """Percent hacks, bang paths and encoded words are just names here."""
        for path, user in (
            ("<u%victim@local>", "u%victim"),
            ('<"u%victim"@local>', "u%victim"),
            ('<"u@victim"@local>', "u@victim"),
            ("<victim!u@local>", "victim!u"),
            ("<=?utf-8?q?u=40victim?=@local>", "=?utf-8?q?u=40victim?="),
        ):
            address = parse_address(path, utf8=True)
            self.assertEqual((address.user, address.host), (user, "local"), path)

    def test_routes(self) -> None:
        """The host of a routed path is that of its mailbox: not local, not relayed."""
        for path in ("<@local:u@victim>", "<@a,@local:u@victim>"):
            self.assertEqual(parse_address(path, utf8=False).host, "victim")

    def test_own_addresses(self) -> None:
        """A literal is no domain of a host list, whatever address it is."""
        for path in ("<u@[127.0.0.1]>", "<u@[IPv6:::1]>"):
            self.assertTrue(parse_address(path, utf8=False).host.startswith("["))

    def test_refused(self) -> None:
        """A second at-sign, a trailing dot, comments and NUL are malformed."""
        for path in (
            "<u@victim@local>",
            "<u@local.>",
            "<u@local\0.victim>",
            "<u@victim(@local)>",
            "<u@local>@victim>",
            '<"u"@victim"@local>',
            "<@local@victim:u@d>",
            "<u@local,victim>",
        ):
            error = self.assertRaises(ProtocolError, parse_address, path, utf8=True)
            self.assertEqual(error.reply.code, 501, path)

    def test_one_spelling(self) -> None:
        """
        Row 26: a user with an at-sign and a blank is the same mailbox in a command, a
        log line and a look-up: the text that stands for it can be read in one way.
        """
        address = parse_address('<"x@victim y"@internal>', utf8=False)
        self.assertEqual(address.host, "internal")
        self.assertEqual(address.address, '"x@victim y"@internal')
        self.assertEqual(address.format(), '<"x@victim y"@internal>')
        for text in (address.address, address.format()):
            self.assertEqual(parse_address(text, utf8=False), address)


class ReplyTests(SynchronousTestCase):
    """What the client is told."""

    def test_codes(self) -> None:
        """A sender has status 5.1.7 and a recipient 5.1.3 (RFC 3463)."""
        for null, status in ((True, b"501 5.1.7"), (False, b"501 5.1.3")):
            error = self.assertRaises(
                ProtocolError, parse_address, "<u@>", utf8=False, null=null
            )
            self.assertEqual(error.reply.encoded[:9], status)

    def test_no_echo(self) -> None:
        """Row 9: a line end in an address comes back in no reply."""
        for path in ('<"a\r\nBcc: z"@d>', "<a\x1b[2J@d>", "<a@d\r\nRSET>"):
            error = self.assertRaises(ProtocolError, parse_address, path, utf8=True)
            self.assertEqual(error.reply.code, 501)
            self.assertIn("control character", error.reply.text)
            self.assertEqual(error.reply.encoded.count(b"\r\n"), 1)
            self.assertNotIn(b"\x1b", error.reply.encoded)

    def test_detail_is_short(self) -> None:
        """The log does not get 64 KB of a refused address."""
        error = self.assertRaises(ProtocolError, parse_address, "<" * 65536, utf8=False)
        self.assertLess(len(str(error.detail["address"])), 1000)


class AddressTests(SynchronousTestCase):
    """What a plugin can do with an address."""

    def test_rewrite(self) -> None:
        """A plugin rewrites a recipient by assignment."""
        address = parse_address("<bob-20301231@old.example>", utf8=False)
        address.user = "bob"
        address.host = "NEW.example"
        self.assertEqual(address.format(), "<bob@new.example>")
        self.assertEqual(address.original, "bob-20301231@old.example")
        self.assertEqual(address.original_host, "old.example")

    def test_rewrite_with_blank(self) -> None:
        """What needs quotes gets them when it is sent on."""
        address = Address("bob", "d.example")
        address.user = "b ob"
        self.assertEqual(address.format(), '<"b ob"@d.example>')

    def test_bad_rewrite(self) -> None:
        """A plugin cannot put a command into an address; the old value stays."""
        address = Address("bob", "d.example")
        for name, value in (
            ("user", "a>\r\nRCPT TO:<b"),
            ("user", "a" * 65),
            ("host", "d\r\nRSET"),
            ("host", "d@e"),
            ("host", ""),
        ):
            with self.assertRaises(ValueError):
                setattr(address, name, value)
        self.assertEqual(address.format(), "<bob@d.example>")

    def test_make(self) -> None:
        """A new address is checked and filled in as one from the wire is."""
        address = Address("Bob", "BÜCHER.example")
        self.assertEqual(address.host, "xn--bcher-kva.example")
        self.assertEqual(address.original_host, "BÜCHER.example")
        self.assertEqual(address.original, "Bob@xn--bcher-kva.example")
        self.assertTrue(address.is_utf8)
        for user, host in (("a\nb", "d"), ("a", "d d"), ("bob", "")):
            self.assertRaises(GrammarError, Address, user, host)

    def test_equality(self) -> None:
        """Spelling of the host does not matter, that of the user does."""
        address = parse_address("<u@D.example>", utf8=False)
        self.assertEqual(address, Address("u", "d.EXAMPLE"))
        self.assertNotEqual(address, Address("U", "d.example"))
        self.assertNotEqual(address, Address("u", "e.example"))
        self.assertNotEqual(address, "<u@d.example>")

    def test_not_hashable(self) -> None:
        """It can change, so it is no key; its C{address} is."""
        self.assertRaises(TypeError, hash, Address("u", "d"))

    def test_small(self) -> None:
        """Thousands of waiting sessions hold one each, so it has no dictionary."""
        address = parse_address("<u@d>", utf8=False)
        self.assertFalse(hasattr(address, "__dict__"))

    def test_copy(self) -> None:
        """A copy can change without its original."""
        address = parse_address("<u@D>", utf8=False)
        for twin in (copy.copy(address), pickle.loads(pickle.dumps(address))):
            self.assertEqual(twin, address)
            self.assertEqual(twin.original_host, "D")
            twin.user = "v"
            self.assertEqual(address.user, "u")

    def test_text(self) -> None:
        """A log line shows it as a command would."""
        address = Address("a b", "d")
        self.assertEqual(str(address), '<"a b"@d>')
        self.assertEqual(repr(address), "Address('<\"a b\"@d>')")
        self.assertEqual(repr(Address()), "Address('<>')")
