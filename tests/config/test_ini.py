"""Haraka's ini files, line by line."""

from twisted.trial.unittest import SynchronousTestCase

from harakatw.config.ini import Entry, Ini, from_object, merge, parse
from tests.properties import given
from tests.properties import st as some

LINES = some.lists(
    some.one_of(
        some.text(),
        some.sampled_from(["[a]", "[]", "[", "k = v", "k[] = v", "k", "k =\\", "\\"]),
    )
)


def texts(read: Ini) -> dict[str, dict[str, tuple[str, ...]]]:
    """The values of every key by section, without sections that are empty."""
    return {
        name: {key: entry.values for key, entry in section.entries.items()}
        for name, section in read.sections.items()
        if section.entries
    }


def complaints(read: Ini) -> list[str]:
    """What is wrong, as it is shown."""
    return [str(problem) for problem in read.problems]


class ParseTests(SynchronousTestCase):
    """What Haraka reads from a file is what is read here."""

    def test_sections(self) -> None:
        """Keys before any header belong to [main]; headers may come twice."""
        read = parse("a=1\n[ two ]\nb = 2\n[main]\nc=3\n[two]\nd=4\n", "f")
        self.assertEqual(
            texts(read),
            {"main": {"a": ("1",), "c": ("3",)}, "two": {"b": ("2",), "d": ("4",)}},
        )
        self.assertEqual(read.problems, ())

    def test_ipv6_sections(self) -> None:
        """A section may be named by an IPv6 address with a port."""
        read = parse("[[::1]:587]\na=1\n[ [2001:db8::1] ]\nb=2\n", "f")
        self.assertEqual(
            texts(read), {"[::1]:587": {"a": ("1",)}, "[2001:db8::1]": {"b": ("2",)}}
        )

    def test_comments(self) -> None:
        """A line that begins with ; or # says nothing; later ones are of the value."""
        read = parse("; a=1\n  # b=2\nc = 3 ; three # 3\n", "f")
        self.assertEqual(texts(read), {"main": {"c": ("3 ; three # 3",)}})

    def test_names(self) -> None:
        """Keys and sections may be addresses, domains, networks and karma awards."""
        text = (
            "[user@example.com]\n2605:ae00:329::2\n192.168.0.0/16\n"
            "results.auth/auth_base.fail@1 = -1 if gt 0\n[a b]\nbücher.example=x\n"
        )
        self.assertEqual(
            texts(parse(text, "f")),
            {
                "user@example.com": {
                    "2605:ae00:329::2": (),
                    "192.168.0.0/16": (),
                    "results.auth/auth_base.fail@1": ("-1 if gt 0",),
                },
                "a b": {"bücher.example": ("x",)},
            },
        )

    def test_unsafe_names_of_javascript(self) -> None:
        """A name that endangers JavaScript is a name like any other."""
        read = parse("[__proto__]\nconstructor=1\n", "f")
        self.assertEqual(texts(read), {"__proto__": {"constructor": ("1",)}})

    def test_values(self) -> None:
        """Blanks around a value go, those in it and further = stay."""
        read = parse("a =  x  =y z \nb=\nc\n", "f").section("main")
        self.assertEqual(read["a"].text, "x  =y z")
        self.assertEqual((read["b"].text, read["b"].is_lone), ("", False))
        self.assertEqual((read["c"].text, read["c"].is_lone), ("", True))

    def test_line_ends(self) -> None:
        """Files of Windows and of old Macs are read too; other breaks are text."""
        read = parse("a=1\r\nb=2\rc=3\x0b4\u2028\n", "f")
        self.assertEqual(
            texts(read), {"main": {"a": ("1",), "b": ("2",), "c": ("3\x0b4",)}}
        )

    def test_lists(self) -> None:
        """Each key[] adds an item; an empty one adds none."""
        entry = parse("[x]\nh[] =\nh[] = one\n\nh[]= two words\n", "f").section("x")[
            "h"
        ]
        self.assertEqual(entry, Entry(("one", "two words"), "f", 2, True))

    def test_continued(self) -> None:
        """A backslash at the end of a line joins the next to it."""
        read = parse("a = one \\\n; not this\n  two\\ \nthree\nb=2\n", "f")
        self.assertEqual(texts(read), {"main": {"a": ("one   twothree",), "b": ("2",)}})
        self.assertEqual(read.section("main")["a"].line, 1)

    def test_continued_into_nothing(self) -> None:
        """A backslash on a last line or before a header does not lose the line."""
        read = parse("a = 1\\\n[x]\nb = 2\\", "f")
        self.assertEqual(texts(read), {"main": {"a": ("1",)}, "x": {"b": ("2",)}})
        self.assertEqual(read.problems, ())

    def test_lines_are_counted(self) -> None:
        """The line of a key is the one that an editor shows."""
        read = parse("\n; x\na=1\n\n[s]\n\nb=2\n", "f")
        self.assertEqual(read.section("main")["a"].line, 3)
        self.assertEqual(read.sections["s"].line, 5)
        self.assertEqual(read.section("s")["b"].line, 7)


class ComplaintTests(SynchronousTestCase):
    """What cannot be understood is told, and the rest of the file counts."""

    def test_nonsense(self) -> None:
        """A line that makes no sense is named, without what may be a password."""
        read = parse("a=1\nthis is no key\n[open\nauth pass = x\nb=2\n", "config/x.ini")
        self.assertEqual(texts(read), {"main": {"a": ("1",), "b": ("2",)}})
        wrong = "is neither [section] nor key = value"
        self.assertEqual(
            complaints(read),
            [
                f"config/x.ini:2: 'this is no key' {wrong}",
                f"config/x.ini:3: '[open' {wrong}",
                f"config/x.ini:4: 'auth pass = ...' {wrong}",
            ],
        )

    def test_twice(self) -> None:
        """Of two lines for one key the last counts, as in Haraka, and it is told."""
        read = parse("a=1\n[main]\na=2\n", "f")
        self.assertEqual(read.section("main")["a"].text, "2")
        self.assertEqual(complaints(read), ["f:3: [main] a: replaces what line 1 says"])
        self.assertEqual(read.problems[0].severity, "notice")

    def test_list_and_single(self) -> None:
        """A key is a list or a single value; the last line decides."""
        read = parse("a[]=1\na=2\nb=1\nb[]=2\n", "f").section("main")
        self.assertEqual((read["a"].values, read["a"].is_list), (("2",), False))
        self.assertEqual((read["b"].values, read["b"].is_list), (("2",), True))

    @given(LINES)
    def test_any_text(self, lines: list[str]) -> None:
        """No file makes the reader fail, and no line is lost without a word."""
        text = "\n".join(lines)
        read = parse(text, "f")
        for name, section in read.sections.items():
            for key, entry in section.entries.items():
                self.assertIn(key, text.replace("\\\n", ""))  # continued lines
                self.assertLessEqual(
                    entry.line, text.count("\n") + text.count("\r") + 1
                )
            self.assertTrue(name == "main" or name in text)


class MergeTests(SynchronousTestCase):
    """An instance's file lies over the one that a plugin was installed with."""

    def test_key_by_key(self) -> None:
        """What the instance does not say, the plugin's file says."""
        base = parse("a=1\nb=1\nl[]=1\nl[]=2\n[x]\nc=1\n", "base")
        over = parse("b=2\nl[]=3\n[y]\nd=2\n", "over")
        merged = merge(base, over)
        self.assertEqual(
            texts(merged),
            {
                "main": {"a": ("1",), "b": ("2",), "l": ("3",)},
                "x": {"c": ("1",)},
                "y": {"d": ("2",)},
            },
        )
        self.assertEqual(merged.section("main")["a"].file, "base")
        self.assertEqual(merged.section("main")["b"].file, "over")


class ObjectTests(SynchronousTestCase):
    """JSON may stand for an ini file."""

    def test_scalars(self) -> None:
        """Numbers and truth values are what the ini file would say."""
        content = {"main": {"a": 1, "b": True, "c": None, "d": ["x", 2], "e": 1.5}}
        read = from_object(content, "f")
        self.assertEqual(
            texts(read),
            {
                "main": {
                    "a": ("1",),
                    "b": ("true",),
                    "c": (),
                    "d": ("x", "2"),
                    "e": ("1.5",),
                }
            },
        )
        self.assertTrue(read.section("main")["d"].is_list)
        self.assertTrue(read.section("main")["c"].is_lone)

    def test_wrong_shapes(self) -> None:
        """Whatever an ini file cannot say is told with section and key."""
        self.assertEqual(
            complaints(from_object([], "f")), ["f: expected an object of sections"]
        )
        read = from_object({"main": 1, "x": {"a": {}, "b": [[]], "c": 1}}, "f")
        self.assertEqual(
            complaints(read),
            [
                "f: [main]: expected an object of keys",
                "f: [x] a: expected a text, number, boolean or list of these",
                "f: [x] b: expected a text, number, boolean or list of these",
            ],
        )
        self.assertEqual(texts(read), {"x": {"c": ("1",)}})
