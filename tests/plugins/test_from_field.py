"""Who a C{From} field says the author is, whatever is done to hide it."""

import time

from twisted.trial.unittest import SynchronousTestCase

from harakatw.plugins._from_field import MAX_ADDRESSES, author_addresses
from tests.properties import given, st


class AuthorTests(SynchronousTestCase):
    """Addresses in address lists (RFC 5322 section 3.4)."""

    def test_forms(self) -> None:
        """The usual and the unusual ways to write an address."""
        for value, found in {
            "a@b.example": ["a@b.example"],
            "A@B.Example": ["a@b.example"],
            "Bob <a@b.example>": ["a@b.example"],
            "<a@b.example>": ["a@b.example"],
            '"Bob, the <x@y.example> Builder" <a@b.example>': ["a@b.example"],
            '"quo\\"ted <x@y.example>" <a@b.example>': ["a@b.example"],
            "(c <x@y.example> (nested) c) a@b.example (d)": ["a@b.example"],
            "a@b.example, C <c@d.example>": ["a@b.example", "c@d.example"],
            "Team: a@b.example, c@d.example;": ["a@b.example", "c@d.example"],
            '"odd local"@b.example': ["@b.example"],
            "user@bücher.example": ["user@xn--bcher-kva.example"],
            "a@b.example.": ["a@b.example"],
            "a@(comment)b.example": ["a@b.example"],
            "=?utf-8?q?Bob?= <a@b.example>": ["a@b.example"],
            "me@x.example <a@b.example>": ["me@x.example", "a@b.example"],
        }.items():
            addresses = [address for address, _ in author_addresses(value)]
            self.assertEqual(addresses, found, value)

    def test_no_address(self) -> None:
        """What is no address gives none."""
        for value in "", "Bob", "a@", "@", "a@-", "<>", "a@[192.0.2.1]", "a at b":
            self.assertEqual(list(author_addresses(value)), [], value)

    def test_never_closed(self) -> None:
        """A quote or comment without an end hides nothing."""
        for value in '"Bob <a@b.example>', "(Bob <a@b.example>", '(a") <a@b.example>':
            domains = [domain for _, domain in author_addresses(value)]
            self.assertEqual(domains, ["b.example"], value)

    def test_many(self) -> None:
        """A list without end is cut."""
        value = ",".join(["a@b.example"] * 300)
        self.assertEqual(len(list(author_addresses(value))), MAX_ADDRESSES)

    def test_long(self) -> None:
        """The worst that a megabyte can be is read in no time (row 14)."""
        began = time.perf_counter()
        for unit in "(", ")", '"', "\\", "@", "a", "a@", "<", ",", '("', " ", "a@b,":
            for _ in author_addresses((unit * (1 << 20))[: 1 << 20]):
                pass
        self.assertLess(time.perf_counter() - began, 5)

    @given(st.text())
    def test_anything(self, value: str) -> None:
        """Whatever stands there, it is read without an error."""
        for address, domain in author_addresses(value):
            self.assertTrue(address.endswith(f"@{domain}"))
            self.assertTrue(domain.isascii())
