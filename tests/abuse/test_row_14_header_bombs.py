"""Row 14: header fields that are made to exhaust the server."""

from collections.abc import Iterator

from twisted.trial.unittest import SynchronousTestCase

from harakatw.message.header import Header
from harakatw.message.mime.part import make_part
from tests.message.mime.walks import walk

MANY = 100_000


def fields() -> Iterator[tuple[str, str]]:
    """A field's name and value, each the worst of its kind."""
    for name in "Content-Type", "Content-Disposition", "Subject", "From":
        yield name, "(" * MANY
        yield name, "(((" * 20_000 + ")))" * 20_000
        yield name, "a/b; " + '"' * MANY
        yield name, "a/b" + ";" * MANY
        yield name, "a/b; x=" + "\\" * MANY
        yield name, 'a/b; x="' + "\\" * MANY
        yield name, "a/b" + "".join(f"; filename*{at}=a" for at in range(10_000))
        yield name, "a/b" + "".join(f"; f*{at}*=%41" for at in range(10_000))
        yield name, "a/b; filename*0*=utf-8'" + "'" * MANY
        yield name, "=?utf-8?q?a?= " * 10_000
        yield name, "=?utf-8?q?" * 10_000
        yield name, "=?" * MANY
        yield name, "=?utf-7?b?K0FHRS0=?=" * 10_000
        yield name, "a:b:c:" * 20_000 + ";"
        yield name, " " * MANY + "x"
        yield name, "a/b;" + " \t" * MANY
        yield name, "/" * MANY


class HeaderBombTests(SynchronousTestCase):
    """Reading a field takes time that grows with its length, and never fails."""

    def test_fields(self) -> None:
        """Comments, quotes, pieces of names and encoded words by the thousand."""
        for name, value in fields():
            header = Header(f"{name}: {value}\r\n".encode())
            part = make_part(header, None, 0, 100)
            self.assertLessEqual(len(part.filename), len(value))
            header.get_decoded(name)

    def test_pieces(self) -> None:
        """Of a name in ten thousand pieces a hundred are read."""
        value = "a" + "".join(f"; filename*{at}=a" for at in range(10_000))
        header = Header(f"Content-Disposition: {value}\r\n".encode())
        self.assertEqual(make_part(header, None, 0, 100).filename, "a" * 100)

    def test_many_fields(self) -> None:
        """A hundred thousand fields are one header, and all of them are found."""
        noted, _ = walk([b"A: b\r\n" * MANY + b"\r\nbody"])
        self.assertEqual(noted.contents(0), b"body")
        self.assertEqual(len(noted.parts[0].header.get_all("a")), MANY)
