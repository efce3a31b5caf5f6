"""Tests of C{harakatw.message.header}."""

from email import message_from_bytes
from email.policy import compat32

from twisted.trial.unittest import SynchronousTestCase

from harakatw.message.header import Header
from tests.properties import given, st

RAW = (
    b"Received: from a\r\n\tby b; today\r\n"
    b"Received: from c\r\n"
    b"SUBJECT :  =?utf-8?q?caf=C3=A9?=\r\n =?utf-8?q?_au_lait?= \r\n"
    b"To: x@e.example\r\n"
)


class ReadTests(SynchronousTestCase):
    """What plugins read."""

    def test_get(self) -> None:
        """A value is unfolded, whatever the case of its name and the blanks around."""
        header = Header(RAW)
        self.assertEqual(header.get("to"), "x@e.example")
        self.assertEqual(
            header.get("Subject"), "=?utf-8?q?caf=C3=A9?= =?utf-8?q?_au_lait?="
        )
        self.assertEqual(header.get("Cc"), "")

    def test_several(self) -> None:
        """All fields of a name are there, the topmost first."""
        header = Header(RAW)
        values = ["from a\tby b; today", "from c"]
        self.assertEqual(header.get_all("received"), values)
        self.assertEqual(header.get("received"), "\n".join(values))
        self.assertEqual(header.get_all("cc"), [])

    def test_decoded(self) -> None:
        """Encoded words read as the text that they stand for."""
        self.assertEqual(Header(RAW).get_decoded("subject"), "café au lait")

    def test_decoded_parameters(self) -> None:
        """The name of an attachment reads as people see it (RFC 2231)."""
        raw = b"Content-Disposition: attachment;\r\n filename*=utf-8''%C3%A9.exe\r\n"
        decoded = Header(raw).get_decoded("Content-Disposition")
        self.assertEqual(decoded, 'attachment; filename="é.exe"')
        raw = raw.replace(b"Content-Disposition", b"Subject")
        self.assertIn("filename*=", Header(raw).get_decoded("Subject"))

    def test_utf8(self) -> None:
        """UTF-8 reads as such (RFC 6532), other octets as U+FFFD."""
        header = Header("A: é".encode() + b"\xff\r\n")
        self.assertEqual(header.get("a"), "é\ufffd")

    def test_names_and_lines(self) -> None:
        """Names come as they are spelt, fields with every octet."""
        header = Header(RAW)
        self.assertEqual(header.names(), ["Received", "Received", "SUBJECT", "To"])
        self.assertEqual(b"".join(header.lines()), RAW)
        self.assertEqual(len(header.lines()), 4)
        self.assertEqual(header.fields("received"), header.lines()[:2])

    def test_magic_names(self) -> None:
        """Names that mean something to a program are names like others (row 12)."""
        names = ("__class__", "__proto__", "__dict__", "items", "get", "self")
        raw = "".join(f"{name}: {name}\r\n" for name in names).encode()
        header = Header(raw)
        for name in names:
            self.assertEqual(header.get_all(name), [name])
            header.remove(name)
        self.assertEqual(bytes(header), b"")

    def test_impossible_names(self) -> None:
        """What no field can be called is not there, and can be removed in vain."""
        header = Header(RAW + b"broken line\r\n: empty\r\n")
        for name in ("", "broken line", "é", "\ud800", "to: x", "To\r\n", "a.*", " "):
            self.assertEqual(header.get_all(name), [])
            header.remove(name)
        self.assertEqual(bytes(header), RAW + b"broken line\r\n: empty\r\n")

    def test_unended(self) -> None:
        """A header whose last line lacks its end gets one."""
        for raw in (b"A: b", b"A: b\r", b"A: b\r\n"):
            self.assertEqual(bytes(Header(raw)), b"A: b\r\n")

    def test_like_python(self) -> None:
        """Python's mail package finds the same fields."""
        theirs = message_from_bytes(
            RAW.replace(b"SUBJECT :", b"SUBJECT:"), policy=compat32
        )
        for name in ("received", "subject", "to"):
            values = [
                str(value).replace("\r\n", "").strip()
                for value in theirs.get_all(name, [])
            ]
            self.assertEqual(Header(RAW).get_all(name), values)


class EditTests(SynchronousTestCase):
    """What plugins change."""

    def test_add(self) -> None:
        """Fields are put in front, the last on top, or behind, the last at the end."""
        header = Header(b"A: 1\r\n")
        header.add("B", "2")
        header.add_end("C", "3")
        header.add_raw_leading(b"D: 4\r\n")
        header.add_end("E", "5")
        self.assertEqual(bytes(header), b"D: 4\r\nB: 2\r\nA: 1\r\nC: 3\r\nE: 5\r\n")
        self.assertEqual(header.names(), ["D", "B", "A", "C", "E"])

    def test_added_is_found(self) -> None:
        """What was added is read like what came, before and after the first look."""
        header = Header(b"A: 2\r\n")
        header.add("a", "1")
        self.assertEqual(header.get_all("A"), ["1", "2"])
        header.add("A", "0")
        header.add_end("A", "3")
        self.assertEqual(header.get_all("A"), ["0", "1", "2", "3"])

    def test_others_keep_their_octets(self) -> None:
        """
        What nobody edits keeps its folds, blanks and case, so that a signature over it
        stays good.
        """
        header = Header(RAW)
        header.get("subject")
        header.add("X-A", "b")
        header.remove("to")
        expected = b"X-A: b\r\n" + RAW.replace(b"To: x@e.example\r\n", b"")
        self.assertEqual(bytes(header), expected)

    def test_remove(self) -> None:
        """All fields of the name go, folded lines included, and only those."""
        header = Header(RAW)
        header.add("received", "x")
        header.add_end("RECEIVED", "y")
        header.remove("Received")
        self.assertEqual(header.names(), ["SUBJECT", "To"])
        self.assertEqual(header.get("received"), "")
        header.remove("Received")
        header.add("Received", "z")
        self.assertEqual(header.get("received"), "z")

    def test_replace(self) -> None:
        """A field changes in its place; the others keep their octets."""
        header = Header(RAW)
        header.add("To", "first")
        header.add_end("to", "last")
        header.replace("SUBJECT", "ü")
        header.replace("to", "second", 1)
        header.replace("TO", "third", 2)
        header.replace("To", "one")
        header.replace("X-New", "new")
        self.assertEqual(header.get_all("to"), ["one", "second", "third"])
        self.assertEqual(
            bytes(header),
            b"To: one\r\n"
            + RAW[: RAW.index(b"SUBJECT")]
            + b"SUBJECT: =?utf-8?b?w7w=?=\r\nto: second\r\nTO: third\r\n"
            + b"X-New: new\r\n",
        )

    def test_remove_one(self) -> None:
        """One of several goes; the others stay, also those behind a thousand fields."""
        raw = b"".join(b"A: %d\r\n" % number for number in range(9))
        header = Header(raw, max_fields=5)
        for number in 8, 7, 0:
            header.remove_one("a", number)
        self.assertEqual(header.get_all("A"), ["1", "2", "3", "4", "5", "6"])
        header.add("A", "0")
        header.remove_one("A", 0)
        self.assertEqual(len(header.get_all("A")), 6)

    def test_no_such_field(self) -> None:
        """What is not there cannot be exchanged, and nothing changes."""
        header = Header(RAW)
        self.assertRaises(IndexError, header.remove_one, "To", 1)
        self.assertRaises(IndexError, header.remove_one, "Cc", 0)
        self.assertRaises(IndexError, header.remove_one, "é", 0)
        self.assertRaises(IndexError, header.replace, "To", "x", 1)
        self.assertRaises(ValueError, header.replace, "To", "x\ny")
        self.assertEqual(bytes(header), RAW)

    def test_bad_value(self) -> None:
        """A value that cannot stand in a header is refused, and nothing is added."""
        header = Header(RAW)
        self.assertRaises(ValueError, header.add, "X-A", "b\nBcc: c")
        self.assertRaises(ValueError, header.add_end, "X A", "b")
        self.assertEqual(bytes(header), RAW)

    def test_receive(self) -> None:
        """What plugins added before the message came stands around what comes."""
        header = Header()
        header.add("A", "1")
        header.add_end("C", "3")
        self.assertEqual(header.get("b"), "")
        header.receive(b"B: 2\r\n")
        self.assertEqual(bytes(header), b"A: 1\r\nB: 2\r\nC: 3\r\n")
        self.assertEqual(header.get("b"), "2")
        self.assertFalse(header.has_too_many_fields)
        self.assertRaises(ValueError, header.receive, b"D: 4\r\n")

    def test_unparsed(self) -> None:
        """Putting the trace field in front, as for each message, parses nothing."""
        header = Header(RAW)
        header.add_raw_leading(b"Received: x\r\n")
        bytes(header)
        self.assertIsNone(vars_of(header)["_index"])
        header.get("to")
        self.assertIsNotNone(vars_of(header)["_index"])


def vars_of(header: Header) -> dict[str, object]:
    """The slots of a header."""
    return {name: getattr(header, name) for name in Header.__slots__}


class LimitTests(SynchronousTestCase):
    """Headers without measure (survey rows 12 and 14)."""

    def test_beyond_the_index(self) -> None:
        """
        A field behind a thousand others is found and removed all the same: a spoofed
        Authentication-Results cannot hide there.
        """
        raw = b"A: 1\r\nX: 2\r\n" + b"F: x\r\n y\r\n" * 5
        raw += b"a : 3\r\n\tb\r\nX: 4\r\nXA: a: 7\r\nZ: 8\r\nA: 5"
        header = Header(raw, max_fields=3)
        header.add_end("A", "6")
        self.assertTrue(header.has_too_many_fields)
        self.assertEqual(header.get_all("a"), ["1", "3\tb", "5", "6"])
        self.assertEqual(len(header.get_all("f")), 5)
        header.remove("f")
        header.remove("A")
        header.remove("z")
        self.assertEqual(bytes(header), b"X: 2\r\nX: 4\r\nXA: a: 7\r\n")
        self.assertEqual(header.get_all("x"), ["2", "4"])
        header.remove("x")
        header.remove("xa")
        self.assertEqual(bytes(header), b"")
        self.assertFalse(header.has_too_many_fields)

    def test_exactly_the_limit(self) -> None:
        """As many fields as allowed are not too many."""
        self.assertFalse(Header(b"A: b\r\n" * 3, max_fields=3).has_too_many_fields)
        self.assertTrue(Header(b"A: b\r\n" * 4, max_fields=3).has_too_many_fields)

    def test_hostile_forms(self) -> None:
        """A hundred thousand fields, or one of a megabyte, are no trouble."""
        for unit in (b"a:\r\n", b"a:\r\n b\r\n", b"a" * 50, b" \r\n", b"(((", b":"):
            raw = b"a: b\r\n" + unit * (400_000 // len(unit)) + b"\r\nz: y\r\n"
            header = Header(raw)
            header.get("a")
            self.assertEqual(header.get_all("z")[-1:], ["y"])
            header.remove("a")
            self.assertEqual(header.get("a"), "")

    @given(
        st.lists(
            st.sampled_from(
                [b"a", b"b", b":", b" ", b"\t", b"\r\n", b"\n", b"\r", b"From "]
            ),
            max_size=30,
        ).map(b"".join),
        st.integers(0, 5),
    )
    def test_any_octets(self, raw: bytes, max_fields: int) -> None:
        """
        No octet is lost, the limit of the index changes nothing but speed, and what was
        removed is gone.
        """
        header = Header(raw, max_fields=max_fields)
        self.assertEqual(b"".join(header.lines()), bytes(header))
        self.assertTrue(bytes(header).startswith(raw))
        self.assertEqual(header.get_all("a"), Header(raw).get_all("a"))
        kept = [line for line in header.lines() if line not in header.fields("a")]
        header.remove("a")
        self.assertEqual(bytes(header), b"".join(kept))
        self.assertEqual(header.get_all("a"), [])
        self.assertEqual(header.get_all("b"), Header(raw).get_all("b"))

    @given(st.text(), st.binary())
    def test_any_name(self, name: str, raw: bytes) -> None:
        """No name and no header makes a look-up fail."""
        header = Header(raw)
        header.get_decoded(name)
        header.remove(name)
        header.names()
