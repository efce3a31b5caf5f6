"""Passwords as a file keeps them."""

from twisted.trial.unittest import SynchronousTestCase

from harakatw.auth.passwords import (
    SCHEMES,
    check_api_key,
    hash_api_key,
    hash_password,
    is_api_key,
    parse_password,
)

HTPASSWD = "$2y$05$bvIG6Nmid91Mu9RcmmWZfO5HJIMCT8riNW0hEp8f6/FuA2/mHZFpe"
"""What C{htpasswd -B} made of C{password}."""


class HashTests(SynchronousTestCase):
    """Hashes, made and checked."""

    def test_every_scheme(self) -> None:
        """A hash is of its password alone, and another one each time."""
        for scheme in SCHEMES:
            first, second = (hash_password("pässword", scheme) for _ in range(2))
            self.assertNotEqual(first, second, scheme)
            self.assertNotIn("=ssword", first)
            stored = parse_password(first)
            self.assertTrue(stored.is_slow)
            self.assertTrue(stored.is_it("pässword"), scheme)
            self.assertFalse(stored.is_it("passwort"), scheme)
            self.assertFalse(stored.is_it(""), scheme)
            self.assertNotIn(first.rpartition("$")[2], repr(stored))

    def test_foreign(self) -> None:
        """Hashes that other programs made."""
        for text, password in (
            (
                "$2y$05$bvIG6Nmid91Mu9RcmmWZfO5HJIMCT8riNW0hEp8f6/FuA2/mHZFpe",
                "password",
            ),
            (
                "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"
                "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
                "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=",
                "pencil",
            ),
        ):
            stored = parse_password(text)
            self.assertTrue(stored.is_it(password), text)
            self.assertFalse(stored.is_it(password.upper()), text)

    def test_long(self) -> None:
        """bcrypt looks at 72 octets: more is not hashed by it, and never raises."""
        with self.assertRaises(ValueError):
            hash_password("x" * 73, "bcrypt")
        stored = parse_password(hash_password("x" * 72, "bcrypt"))
        self.assertTrue(stored.is_it("x" * 72))
        self.assertFalse(stored.is_it("y" * 5000))

    def test_impossible(self) -> None:
        """Nobody's password is empty, or has control characters."""
        for password in "", "a\0b", "a\nb":
            with self.assertRaises(ValueError):
                hash_password(password, "argon2")


class ParseTests(SynchronousTestCase):
    """What stands in a file."""

    def test_plain(self) -> None:
        """A password as it is, and one that looks like a hash."""
        for text, password in (
            ("pw", "pw"), ("{PLAIN}$1$x$y", "$1$x$y"), ("$", "$"), ("a$1$", "a$1$"),
        ):  # fmt: skip
            stored = parse_password(text)
            self.assertFalse(stored.is_slow)
            self.assertTrue(stored.is_it(password), text)
            self.assertNotIn(password, repr(stored)[len("PlainPassword(") :] or "-")

    def test_useless(self) -> None:
        """What can be nobody's password; the message does not show it."""
        for text in (
            "", "{PLAIN}", "$6$rounds=5000$geheim", "{SSHA}geheim", "$argon2geheim",
            "$2b$12$geheim", "SCRAM-SHA-256$geheim", "$2b$\u00fc", "geheim\0",
        ):  # fmt: skip
            with self.assertRaises(ValueError, msg=text) as caught:
                parse_password(text)
            self.assertNotIn("geheim", str(caught.exception))


class ApiKeyTests(SynchronousTestCase):
    """Keys of programs."""

    def test_key(self) -> None:
        """A key fits its hash."""
        stored = hash_api_key("key")
        check_api_key(stored)
        self.assertTrue(is_api_key("key", stored))
        self.assertFalse(is_api_key("Key", stored))

    def test_no_hash(self) -> None:
        """What is none."""
        for text in "", "key", "sha256:", "sha256:" + "G" * 64, "sha1:" + "0" * 64:
            with self.assertRaises(ValueError, msg=text):
                check_api_key(text)
