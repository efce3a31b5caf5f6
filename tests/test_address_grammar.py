"""The grammar of a mailbox: hosts, local parts, characters and routes."""

from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address

from twisted.trial.unittest import SynchronousTestCase

from harakatw.address_grammar import (
    Fault,
    GrammarError,
    canonical_host,
    check_characters,
    check_user,
    is_ip_literal,
    literal_ip,
    quoted_local,
    split_mailbox,
    strip_route,
)


class _FaultCase(SynchronousTestCase):
    def fault_of(self, function: Callable[..., object], *call: object) -> Fault:
        """What the function says is wrong."""
        error: GrammarError = self.assertRaises(GrammarError, function, *call)
        return error.fault


class HostTests(_FaultCase):
    """A host has one spelling, whatever the client made of it."""

    def test_lower_case(self) -> None:
        """A host list in lower case also catches C{EXAMPLE.com}."""
        self.assertEqual(canonical_host("Mail.EXAMPLE.com"), "mail.example.com")

    def test_digits_and_hyphens(self) -> None:
        """Labels of digits, inner hyphens and a lone label are well formed."""
        for host in ("3com.com", "a-b.c", "123.123.123.123", "localhost", "x--y.z"):
            self.assertEqual(canonical_host(host), host)

    def test_bad_names(self) -> None:
        """What no DNS name of a mail host can be is refused, the trailing dot too."""
        for host in (
            "",
            ".",
            "a.",
            ".a",
            "a..b",
            "-a.b",
            "a-.b",
            "a.b-",
            "a_b.c",
            "a b.c",
            "a@b",
            "a,b",
            "a(b)",
            "a/b",
            "1.2.3.4]",
        ):
            self.assertEqual(self.fault_of(canonical_host, host), Fault.DOMAIN, host)

    def test_label_length(self) -> None:
        """A label has 63 octets at most."""
        longest = "a" * 63
        self.assertEqual(canonical_host(f"{longest}.b"), f"{longest}.b")
        fault = self.fault_of(canonical_host, f"{longest}a.b")
        self.assertEqual(fault, Fault.LABEL_TOO_LONG)

    def test_domain_length(self) -> None:
        """A domain has 255 octets at most."""
        longest = "a." * 127 + "a"
        self.assertEqual(canonical_host(longest), longest)
        fault = self.fault_of(canonical_host, f"a{longest}")
        self.assertEqual(fault, Fault.DOMAIN_TOO_LONG)

    def test_u_labels(self) -> None:
        """
        An international domain is compared and looked up as DNS has it (RFC 5890
        section 2.3.2.1).
        """
        self.assertEqual(canonical_host("BÜCHER.example"), "xn--bcher-kva.example")
        self.assertEqual(canonical_host("παράδειγμα.gr"), "xn--hxajbheg2az3al.gr")

    def test_bad_u_labels(self) -> None:
        """Names that IDNA 2008 forbids are refused: symbols, hyphens at the end."""
        for host in ("☃.example", "-ü.example", "ü-.example", "ü..example", "x_ü.a"):
            fault = self.fault_of(canonical_host, host)
            self.assertEqual(fault, Fault.INTERNATIONAL_DOMAIN, host)

    def test_foreign_dots(self) -> None:
        """
        Row 25: U+3002 and its like are no dots, though IDNA would take them for dots.
        """
        for dot in "\u3002\uff0e\uff61\u2024\ufe52":
            fault = self.fault_of(canonical_host, f"ü{dot}example")
            self.assertEqual(fault, Fault.LOOKALIKE, ascii(dot))

    def test_long_u_label(self) -> None:
        """A U-label whose A-label has more than 63 octets is refused."""
        fault = self.fault_of(canonical_host, "ü" * 62 + "a")
        self.assertEqual(fault, Fault.INTERNATIONAL_DOMAIN)


class LiteralTests(_FaultCase):
    """Address literals in square brackets."""

    def test_ipv4(self) -> None:
        """An IPv4 literal is four numbers up to 255."""
        self.assertEqual(literal_ip("[192.0.2.1]"), IPv4Address("192.0.2.1"))
        self.assertEqual(canonical_host("[192.0.2.1]"), "[192.0.2.1]")

    def test_ipv6(self) -> None:
        """An IPv6 literal needs its tag, in any case."""
        self.assertEqual(literal_ip("[IPv6:2001:DB8::1]"), IPv6Address("2001:db8::1"))
        self.assertEqual(canonical_host("[IPv6:2001:DB8::1]"), "[ipv6:2001:db8::1]")
        self.assertTrue(is_ip_literal("[ipv6:::ffff:192.0.2.1]"))

    def test_no_literal(self) -> None:
        """A name is no literal, nor is an address without brackets."""
        for host in ("example.com", "192.0.2.1", "", "[", "]", "[]", "[x:y]"):
            self.assertFalse(is_ip_literal(host), host)

    def test_bad(self) -> None:
        """
        Refused are octal-looking numbers, zones, wrong counts, and an address that is
        not closed: programs disagree about what they mean.
        """
        for host in (
            "[",
            "[]",
            "[192.0.2]",
            "[192.0.2.256]",
            "[192.0.2.010]",
            "[192.0.2.1",
            "[192.0.2.1]x",
            "[::1]",
            "[IPv6:::1%eth0]",
            "[IPv6:1:2:3:4:5:6:7]",
            "[IPv6:1::2::3]",
            "[IPv6:192.0.2.1]",
            "[IPv6:]",
            "[\u0661.2.3.4]",
        ):
            self.assertEqual(self.fault_of(canonical_host, host), Fault.LITERAL, host)

    def test_general(self) -> None:
        """A literal with another tag is well formed, and is no IP address."""
        self.assertEqual(canonical_host("[X400:c=DE/a=x]"), "[x400:c=de/a=x]")
        self.assertFalse(is_ip_literal("[x400:c=de]"))

    def test_general_with_delimiters(self) -> None:
        """A literal in which another program could find an end or an at-sign is not."""
        for inside in '@<>",;()[]\\ \x00\r\nü':
            fault = self.fault_of(canonical_host, f"[tag:a{inside}b]")
            self.assertEqual(fault, Fault.LITERAL, ascii(inside))

    def test_general_without_tag(self) -> None:
        """A general literal needs a tag and something after it."""
        for host in ("[:x]", "[tag:]", "[tag-:x]", "[tag]"):
            self.assertEqual(self.fault_of(canonical_host, host), Fault.LITERAL, host)

    def test_too_long(self) -> None:
        """A literal, too, has 255 octets at most."""
        fault = self.fault_of(canonical_host, f"[tag:{'a' * 255}]")
        self.assertEqual(fault, Fault.DOMAIN_TOO_LONG)


class LocalPartTests(_FaultCase):
    """The part left of the at-sign."""

    def test_quotes_come_off(self) -> None:
        """A quoted local part is the same mailbox as what the quotes hold."""
        for quoted, user in (
            (r'"bob"', "bob"),
            (r'"b\ob"', "bob"),
            (r'"b o b"', "b o b"),
            (r'"b\"o\\b"', r'b"o\b'),
            (r'""', ""),
            (r'"x@y"', "x@y"),
        ):
            self.assertEqual(
                split_mailbox(f"{quoted}@d", lenient=False), (user, "d"), quoted
            )

    def test_quotes_where_needed(self) -> None:
        """Quotes are put on only where a bare word would not do."""
        for user, quoted in (
            ("bob", "bob"),
            ("b.o+b", "b.o+b"),
            ("jürgen", "jürgen"),
            ("b ob", '"b ob"'),
            ("", '""'),
            (".bob", '".bob"'),
            ("b..ob", '"b..ob"'),
            ("bob.", '"bob."'),
            (r'b"o\b', r'"b\"o\\b"'),
            ("x@y", '"x@y"'),
        ):
            self.assertEqual(quoted_local(user), quoted)

    def test_bad(self) -> None:
        """Half a quote, text beside quotes and stray dots or blanks are refused."""
        for mailbox in (
            "@d",
            ".a@d",
            "a.@d",
            "a..b@d",
            "a b@d",
            'a"b"@d',
            '"a"b@d',
            '"a@d',
            '"a\\"@d',
            '"a"',
            '"a".b@d',
            "a(b)@d",
            "a\\b@d",
            "a,b@d",
            "a:b@d",
            "[a]@d",
        ):
            fault = self.fault_of(split_mailbox, mailbox, False)
            self.assertEqual(fault, Fault.LOCAL_PART, mailbox)

    def test_lenient_dots(self) -> None:
        """C{main.postel} takes the dots that some phone companies once gave out."""
        for user in (".a", "a.", "a..b", "."):
            self.assertEqual(split_mailbox(f"{user}@d", lenient=True), (user, "d"))
        fault = self.fault_of(split_mailbox, "a b@d", True)
        self.assertEqual(fault, Fault.LOCAL_PART)

    def test_length(self) -> None:
        """A local part has 64 octets at most, quotes and UTF-8 counted as sent."""
        for good, bad in (
            ("a" * 64, "a" * 65),
            (f'"{"a" * 62}"', f'"{"a" * 63}"'),
            ("ü" * 32, "ü" * 32 + "a"),
        ):
            split_mailbox(f"{good}@d", lenient=False)
            fault = self.fault_of(split_mailbox, f"{bad}@d", False)
            self.assertEqual(fault, Fault.LOCAL_TOO_LONG)

    def test_assigned_user(self) -> None:
        """What a plugin assigns has the same limits, with the quotes it will get."""
        check_user("a " * 31)
        self.assertEqual(self.fault_of(check_user, "a " * 32), Fault.LOCAL_TOO_LONG)
        self.assertEqual(self.fault_of(check_user, "a\r\nb"), Fault.CONTROL)


class CharacterTests(_FaultCase):
    """Characters that no quotes make harmless."""

    def test_controls(self) -> None:
        """Rows 9 and 10: control characters and foreign line ends are refused."""
        for char in "\0\t\r\n\x0b\x0c\x1b\x1c\x1e\x7f\x85\x9b\u2028\u2029\udc80":
            for text in (char, f"a{char}b", f"ü{char}"):
                fault = self.fault_of(check_characters, text)
                self.assertEqual(fault, Fault.CONTROL, ascii(text))

    def test_lookalikes(self) -> None:
        """Row 25: a character that folds into a delimiter is refused."""
        for (
            char
        ) in "\uff20\ufe6b\u3002\uff61\uff0e\uff1c\uff1e\u00a0\u3000\uff02\uff1a":
            fault = self.fault_of(check_characters, f"u{char}victim")
            self.assertEqual(fault, Fault.LOOKALIKE, ascii(char))

    def test_letters(self) -> None:
        """Words of the world's scripts are taken, with their marks and joiners."""
        for text in ("jürgen", "δοκιμή", "二ノ宮", "संपर्क", "андрис", "ab !#\"'", "🙂"):
            check_characters(text)


class RouteTests(_FaultCase):
    """Source routes are read and dropped (RFC 5321 appendix C)."""

    def test_dropped(self) -> None:
        """What counts is the mailbox after the colon."""
        self.assertEqual(strip_route("@a.example:u@d"), "u@d")
        self.assertEqual(strip_route("@a,@b.c,@d:u@e"), "u@e")

    def test_none(self) -> None:
        """Most paths have none."""
        self.assertEqual(strip_route("u@d"), "u@d")

    def test_bad(self) -> None:
        """A route without its colon, commas or at-signs is refused."""
        for route in ("@a", "@a.b", "@a,b:u@d", "@a,:u@d", "@a,,@b:u@d"):
            self.assertEqual(self.fault_of(strip_route, route), Fault.ROUTE, route)
        for route in ("@:u@d", "@a_b:u@d", "@a@b:u@d", "@a, @b:u@d"):
            fault = self.fault_of(strip_route, route)
            self.assertIn(fault, (Fault.DOMAIN, Fault.ROUTE), route)
