"""Tests of C{harakatw.net.tls.folder}."""

import os
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from harakatw.net.tls.certificates import KeyPair
from harakatw.net.tls.folder import FolderReader
from tests.certificates import make_authority, own, write_pair


class FolderTests(SynchronousTestCase):
    """C{config/tls/} (row CF80)."""

    def setUp(self) -> None:
        """An empty folder."""
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.problems: list[str] = []

    def read(self, before: dict[str, KeyPair] | None = None) -> dict[str, KeyPair]:
        """The pairs in it, by their place."""
        reader = FolderReader(self.folder, "config/tls", before=before or {})
        pairs = {pair.place: pair for pair in reader.pairs()}
        self.problems = list(map(str, reader.problems))
        return pairs

    def names(self, before: dict[str, KeyPair] | None = None) -> set[str]:
        """All names that there are certificates for."""
        return {name for pair in self.read(before).values() for name in pair.names}

    def test_no_folder(self) -> None:
        """Nobody has to have one."""
        self.folder.rmdir()
        self.assertEqual((self.read(), self.problems), ({}, []))

    def test_bundles_and_pairs(self) -> None:
        """Keys and certificates find each other, in whatever files and folders."""
        bundle = own("a.example")
        (self.folder / "a.pem").write_bytes(bundle.key + bundle.certificate)
        write_pair(self.folder, own("b.example"), "deep/er/b.")
        apart = own("c.example")
        (self.folder / "keys").mkdir()
        (self.folder / "keys/whatever").write_bytes(apart.key)
        (self.folder / "c.crt").write_bytes(apart.certificate)
        self.assertEqual(self.names(), {"a.example", "b.example", "c.example"})
        self.assertEqual(self.problems, [])

    def test_certbot(self) -> None:
        """
        As C{certbot} has it: links to links, and of two files with the same certificate
        the one with those above it.
        """
        authority = make_authority()
        signed = authority.sign("a.example")
        live, archive = Path(self.mktemp()).absolute(), Path(self.mktemp()).absolute()
        for path in (live, archive):
            path.mkdir()
        for name, content in (
            ("privkey", signed.key),
            ("cert", signed.certificate),
            ("chain", authority.certificate),
            ("fullchain", signed.certificate + authority.certificate),
        ):
            (archive / f"{name}1.pem").write_bytes(content)
            (live / f"{name}.pem").symlink_to(archive / f"{name}1.pem")
        (live / "README").write_text("hello")
        (self.folder / "a.example").symlink_to(live)
        pairs = self.read()
        self.assertEqual(list(pairs), ["config/tls/a.example/fullchain.pem"])
        self.assertEqual(self.problems, [])

    def test_circle(self) -> None:
        """Links that lead in a circle, or nowhere, do no harm."""
        write_pair(self.folder, own("a.example"))
        (self.folder / "again").symlink_to(self.folder.absolute())
        (self.folder / "gone").symlink_to("/nowhere/at/all")
        self.assertEqual(self.names(), {"a.example"})

    def test_pipe(self) -> None:
        """What is no file is not opened: that could take for ever."""
        os.mkfifo(self.folder / "pipe")
        write_pair(self.folder, own("a.example"))
        self.assertEqual(self.names(), {"a.example"})

    def test_huge(self) -> None:
        """A file that is no certificate by its size alone is not read."""
        with (self.folder / "core").open("wb") as file:
            file.truncate(1 << 40)
        self.assertEqual((self.read(), self.problems), ({}, []))

    def test_hidden(self) -> None:
        """What an editor or the system hides is nobody's certificate."""
        write_pair(self.folder, own("a.example"), ".git/")
        (self.folder / ".swp.pem").write_bytes(own("b.example").certificate)
        write_pair(self.folder, own("c.example"))
        self.assertIn("c.example", self.names())
        self.assertEqual(self.problems, [])

    def test_broken(self) -> None:
        """A broken file is told by its name, and leaves in use what it held before."""
        write_pair(self.folder, own("a.example"), "a.")
        write_pair(self.folder, own("b.example"), "b.")
        before = self.read()
        (self.folder / "a.cert.pem").write_text(
            "-----BEGIN CERTIFICATE-----\nXXXX\n-----END CERTIFICATE-----\n"
        )
        self.assertEqual(self.names(before), {"a.example", "b.example"})
        self.assertIn("config/tls/a.cert.pem:1: holds a certificate", self.problems[0])
        self.assertEqual(self.names(), {"b.example"})

    def test_half_renewed(self) -> None:
        """A new certificate whose key has not come yet does not replace the old one."""
        write_pair(self.folder, own("a.example"), "a.")
        before = self.read()
        (self.folder / "a.cert.pem").write_bytes(own("new.example").certificate)
        self.assertEqual(self.names(before), {"a.example"})
        self.assertIn("a.cert.pem: its key is missing", self.problems[0])

    def test_taken_away(self) -> None:
        """A certificate whose file is gone is shown no more."""
        write_pair(self.folder, own("a.example"), "a.")
        before = self.read()
        (self.folder / "a.cert.pem").unlink()
        self.assertEqual((self.names(before), self.problems), (set(), []))

    def test_no_key(self) -> None:
        """
        A certificate without a key is told; that of an authority needs none.
        """
        (self.folder / "a.pem").write_bytes(own("a.example").certificate)
        (self.folder / "ca.pem").write_bytes(make_authority().certificate)
        self.assertEqual(self.names(), set())
        self.assertEqual(
            self.problems,
            ["config/tls/a.pem: the key for the certificate of a.example is missing"],
        )
