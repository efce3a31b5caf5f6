"""Option classes, filled from files."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar, Literal

import attrs
from attrs.validators import and_, ge, in_, le, optional

from harakatw.config.options import (
    Loaded,
    data_file,
    doc,
    json_file,
    list_file,
    load_options,
    other_sections,
    value_file,
    whole_section,
)
from harakatw.config.problems import Problem
from harakatw.errors import ConfigError
from tests.config.folders import ConfigTestCase


def _fits(instance: "Tarpit", attribute: object, value: float) -> None:
    if instance.least > value:
        raise ValueError("most is less than least")


@attrs.frozen(kw_only=True)
class Tarpit:
    """An option class with one of each type of key."""

    delay: float = attrs.field(
        default=1, validator=ge(0), metadata=doc("Wait.", unit="seconds")
    )
    max_recipients: int = attrs.field(
        default=500,
        validator=and_(ge(100), le(5000)),
        metadata=doc("", unit="recipients"),
    )
    size: int = attrs.field(default=10, metadata=doc("", unit="octets", section="max"))
    hooks_to_delay: tuple[str, ...] = attrs.field(default=("rcpt",), metadata=doc(""))
    ports: frozenset[int] = attrs.field(default=frozenset({25}), metadata=doc(""))
    greeting: tuple[str, ...] = attrs.field(default=(), metadata=doc("", split=False))
    enabled: bool = attrs.field(default=True, metadata=doc(""))
    mode: Literal["hold", "drop"] = attrs.field(default="hold", metadata=doc(""))
    colour: str = attrs.field(
        default="red", validator=in_(("red", "blue")), metadata=doc("")
    )
    pin: int = attrs.field(default=0, metadata=doc("", secret=True))
    limit: int | None = attrs.field(
        default=None, validator=optional(ge(1)), metadata=doc("", key="max.limit")
    )
    least: float = attrs.field(default=1, metadata=doc(""))
    most: float = attrs.field(default=2, validator=_fits, metadata=doc(""))
    seen: int = 7  # not of any file


@attrs.frozen(kw_only=True)
class Route:
    """Options of one domain."""

    unsupported: ClassVar[Mapping[str, str]] = MappingProxyType({"tls": "not yet"})

    host: str = attrs.field(default="localhost", metadata=doc("Where to."))
    port: int = attrs.field(default=25, validator=ge(1), metadata=doc("The port."))


@attrs.frozen(kw_only=True)
class Forward:
    """An option class with sections that the postmaster makes up."""

    config_file: ClassVar[str] = "smtp_forward.ini"
    unsupported: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"main.queue": "one queue is enough", "pool.*": "there is no pool"}
    )

    host: str = attrs.field(default="localhost", metadata=doc(""))
    awards: Mapping[str, float] = attrs.field(
        factory=dict, metadata=whole_section("", "awards")
    )
    best: float = attrs.field(default=0, metadata=doc("", section="awards"))
    routes: Mapping[str, Route] = attrs.field(factory=dict, metadata=other_sections(""))


@attrs.frozen(kw_only=True)
class Flat:
    """An option class that reads files of every other format."""

    domains: frozenset[str] = attrs.field(
        default=frozenset(), metadata=list_file("host_list", "")
    )
    ports: tuple[int, ...] = attrs.field(default=(), metadata=list_file("ports", ""))
    timeout: float = attrs.field(
        default=30,
        validator=ge(0),
        metadata=value_file("{name}.timeout", "", unit="seconds"),
    )
    text: tuple[str, ...] = attrs.field(default=(), metadata=data_file("text", ""))
    rules: Mapping[str, object] = attrs.field(
        factory=dict, metadata=json_file("rules.json", "")
    )
    steps: tuple[object, ...] = attrs.field(
        default=(), metadata=json_file("steps.yaml", "")
    )
    elsewhere: bool = attrs.field(default=False, metadata=doc("", file="other.ini"))


@attrs.frozen(kw_only=True)
class Sibling:
    """Another class that reads C{tarpit.ini}."""

    config_file: ClassVar[str] = "tarpit.ini"
    colour_of_sibling: str = attrs.field(default="", metadata=doc("", section="sib"))


@attrs.frozen(kw_only=True)
class Even:
    """Has no use for odd numbers, and tells of each."""

    config_file: ClassVar[str] = "even.ini"
    numbers: tuple[int, ...] = attrs.field(default=(), metadata=doc(""))

    @property
    def mistakes(self) -> tuple[Problem, ...]:
        """The odd ones."""
        return tuple(
            Problem("config/even.ini", 0, "main", "numbers", f"{number} is odd")
            for number in self.numbers
            if number % 2
        )


def complaints(loaded: Loaded[attrs.AttrsInstance]) -> list[str]:
    """What is wrong, as it is shown."""
    return [str(problem) for problem in loaded.problems]


class KeyTests(ConfigTestCase):
    """Keys of a plugin's own ini file."""

    def _load(self, text: str) -> Loaded[Tarpit]:
        self.write("tarpit.ini", text)
        return load_options(Tarpit, self.files(), "tarpit")

    def _wrong(self, text: str, *expected: str) -> None:
        """What C{text} says is refused with these words, for defaults."""
        loaded = self._load(text)
        self.assertEqual(
            complaints(loaded), [f"config/tarpit.ini:{e}" for e in expected]
        )
        self.assertEqual(loaded.options, Tarpit())

    def test_absent(self) -> None:
        """Without a file there are the defaults, and a file to look for."""
        loaded = load_options(Tarpit, self.files(), "tarpit")
        self.assertEqual((loaded.options, loaded.problems), (Tarpit(), ()))
        self.assertIn("tarpit.ini", loaded.files)

    def test_all_types(self) -> None:
        """Each key is read as its type and unit say."""
        loaded = self._load(
            "delay = 2m\nmax_recipients=100\nhooks_to_delay = mail, rcpt\n"
            "ports[] = 25\nports[] = 587\ngreeting = Hello, you\nenabled = no\n"
            "mode = DROP\ncolour=blue\nmax.limit = 3\n[max]\nsize = 10K\n"
        )
        self.assertEqual(loaded.problems, ())
        self.assertEqual(
            loaded.options,
            Tarpit(
                delay=120,
                max_recipients=100,
                size=10240,
                hooks_to_delay=("mail", "rcpt"),
                ports=frozenset({25, 587}),
                greeting=("Hello, you",),
                enabled=False,
                mode="drop",
                colour="blue",
                limit=3,
            ),
        )

    def test_empty_values(self) -> None:
        """A key that says nothing leaves the default; a list or text can be emptied."""
        loaded = self._load(
            "delay=\nmax_recipients=\nmode=\nmax.limit=\nhooks_to_delay=\nports[]=\n"
        )
        self.assertEqual(loaded.problems, ())
        self.assertEqual(loaded.options, Tarpit(hooks_to_delay=(), ports=frozenset()))

    def test_alone(self) -> None:
        """A key alone turns on what can be on, and is too little for a number."""
        self.write("tarpit.ini", "enabled\n")
        self.assertTrue(load_options(Tarpit, self.files(), "tarpit").options.enabled)
        self._wrong(
            "delay\n", "1: [main] delay: needs a value: write key = value; 1 is used"
        )

    def test_bad_values(self) -> None:
        """A value of the wrong type is told with what was expected and what is used."""
        self._wrong(
            "\nmax_recipients = many\nenabled=perhaps\nports=25 x\nmode=x\n",
            "2: [main] max_recipients: 'many' is not a number of recipients; 500 is "
            "used",
            "4: [main] ports: 'x' is not a number; 25 is used",
            "3: [main] enabled: 'perhaps' is neither true nor false; true is used",
            "5: [main] mode: 'x' is not one of hold, drop; hold is used",
        )

    def test_out_of_range(self) -> None:
        """A value out of range is told with the range."""
        self._wrong(
            "delay=-1\nmax_recipients=5\ncolour=pink\nmax.limit=0\n",
            "1: [main] delay: -1.0 is out of range: it must be at least 0; 1 is used",
            "2: [main] max_recipients: 5 is out of range: it must be at least 100 and "
            "at most 5000; 500 is used",
            "3: [main] colour: pink is out of range: it must be one of red, blue; red "
            "is used",
            "4: [main] max.limit: 0 is out of range: it must be at least 1",
        )

    def test_secret(self) -> None:
        """A secret that is wrong is not shown."""
        self._wrong("pin=hunter2\n", "1: [main] pin: cannot be what it is")

    def test_one_bad_among_good(self) -> None:
        """One bad value does not cost the others theirs."""
        loaded = self._load("delay=-1\nmax_recipients=200\n")
        self.assertEqual(loaded.options, Tarpit(max_recipients=200))

    def test_bad_together(self) -> None:
        """A value that does not go with another of the file is told."""
        loaded = self._load("most=1.5\nleast=1.9\n")
        self.assertEqual(
            complaints(loaded),
            ["config/tarpit.ini:1: [main] most: most is less than least; 2 is used"],
        )
        self.assertEqual(loaded.options, Tarpit(least=1.9))

    def test_good_together(self) -> None:
        """Values that only go together stay when a third one is bad."""
        loaded = self._load("delay=-1\nleast=3\nmost=4\n")
        self.assertEqual(loaded.options, Tarpit(least=3, most=4))
        self.assertEqual(len(loaded.problems), 1)

    def test_bad_with_a_default(self) -> None:
        """A value that does not fit the default of another is told of the file."""
        self._wrong("least=5\n", " most is less than least; the defaults are used")

    def test_mistakes(self) -> None:
        """An entry that a class cannot use is reported; the value stays."""
        self.write("even.ini", "numbers=2 3 4\n")
        loaded = load_options(Even, self.files(), "even")
        self.assertEqual(loaded.options.numbers, (2, 3, 4))
        self.assertEqual(
            complaints(loaded), ["config/even.ini: [main] numbers: 3 is odd"]
        )
        self.write("even.ini", "numbers=2 4\n")
        self.assertEqual(load_options(Even, self.files(), "even").problems, ())

    def test_list_for_one(self) -> None:
        """A list where one value is expected is told; a list of one will do."""
        self._wrong(
            "delay[]=1\ndelay[]=2\n",
            "1: [main] delay: takes one value, not 2; 1 is used",
        )
        self.write("tarpit.ini", "delay[]=2\n")
        self.assertEqual(load_options(Tarpit, self.files(), "tarpit").options.delay, 2)

    def test_unknown_key(self) -> None:
        """A key that nothing reads is met by the nearest that something does."""
        self._wrong(
            "\n\nhooks_to_dely=rcpt\nxyzzy=1\n[max]\ndelay=2\n[mox]\nsize=1\n[empty]\n",
            "3: [main] hooks_to_dely: unknown key, did you mean hooks_to_delay?",
            "4: [main] xyzzy: unknown key",
            "6: [max] delay: unknown key here, it belongs into [main]",
            "7: [mox]: unknown section, did you mean max?",
        )

    def test_checked(self) -> None:
        """Whoever wants no server with a wrong file gets an error with all of it."""
        error = self.assertRaises(ConfigError, self._load("delay=x\nfoo=1\n").checked)
        self.assertEqual(len(error.problems), 2)
        self.assertEqual(self._load("delay=3\ndelay=4\n").checked().delay, 4)

    def test_unreadable(self) -> None:
        """A file that cannot be read leaves the defaults."""
        self.write("tarpit.ini", b"\xff")
        loaded = load_options(Tarpit, self.files(), "tarpit")
        self.assertEqual(complaints(loaded), ["config/tarpit.ini:1: is not UTF-8 text"])
        self.assertEqual(loaded.options, Tarpit())

    def test_shared_file(self) -> None:
        """Keys of another class that reads the same file are not strange."""
        self.write("tarpit.ini", "delay=2\n[sib]\ncolour_of_sibling=x\n")
        alone = load_options(Tarpit, self.files(), "tarpit")
        self.assertEqual(len(alone.problems), 1)
        also = [("sibling", Sibling)]
        both = load_options(Tarpit, self.files(), "tarpit", also=also)
        self.assertEqual(both.problems, ())


class SectionTests(ConfigTestCase):
    """Sections whose keys or names a postmaster makes up."""

    def _load(self, text: str) -> Loaded[Forward]:
        self.write("smtp_forward.ini", text)
        return load_options(Forward, self.files(), "queue/smtp_forward")

    def test_other_sections(self) -> None:
        """Each domain may have a section of its own."""
        loaded = self._load("host=a\n[example.com]\nhost=b\nport=26\n[example.org]\n")
        self.assertEqual(
            loaded.options.routes,
            {"example.com": Route(host="b", port=26), "example.org": Route()},
        )
        self.assertEqual((loaded.options.host, loaded.problems), ("a", ()))

    def test_bad_value_in_other_section(self) -> None:
        """A wrong value is told with the domain, and only that value is lost."""
        loaded = self._load("[example.com]\nhost=b\nport=0\n\n[x.example]\nhots=c\n")
        self.assertEqual(
            complaints(loaded),
            [
                "config/smtp_forward.ini:3: [example.com] port: 0 is out of range: it "
                "must be at least 1; 25 is used",
                "config/smtp_forward.ini:6: [x.example] hots: unknown key, did you "
                "mean host?",
            ],
        )
        self.assertEqual(loaded.options.routes["example.com"], Route(host="b"))

    def test_whole_section(self) -> None:
        """A section of made-up keys is a table, but for keys that have a meaning."""
        loaded = self._load("[awards]\na.b@c=-1\nbest=5\nbad=x\n")
        self.assertEqual(loaded.options.awards, {"a.b@c": -1})
        self.assertEqual(loaded.options.best, 5)
        self.assertEqual(
            complaints(loaded),
            ["config/smtp_forward.ini:4: [awards] bad: 'x' is not a number"],
        )

    def test_without_effect(self) -> None:
        """A key of Haraka that does nothing yet is a notice, and no error."""
        loaded = self._load("queue=x\n[pool]\nsize=1\nnone=\n[d.example]\ntls=1\n")
        self.assertEqual(
            complaints(loaded),
            [
                "config/smtp_forward.ini:1: [main] queue: has no effect: one queue is "
                "enough",
                "config/smtp_forward.ini:3: [pool] size: has no effect: there is no "
                "pool",
                "config/smtp_forward.ini:6: [d.example] tls: has no effect: not yet",
            ],
        )
        self.assertEqual(loaded.errors, ())
        self.assertEqual(loaded.options.routes, {"d.example": Route()})


class OtherFileTests(ConfigTestCase):
    """Options from files of other formats."""

    def _load(self) -> Loaded[Flat]:
        return load_options(Flat, self.files(), "flat")

    def test_absent(self) -> None:
        """Every file that an option may come from is looked for."""
        loaded = self._load()
        self.assertEqual((loaded.options, loaded.problems), (Flat(), ()))
        self.assertEqual(
            loaded.files - {"smtp.json", "smtp.yaml", "smtp.yml", "smtp.hjson"},
            {
                "host_list",
                "ports",
                "flat.timeout",
                "text",
                "rules.json",
                "rules.yaml",
                "rules.yml",
                "rules.hjson",
                "steps.yaml",
                "steps.yml",
                "other.ini",
            },
        )

    def test_all(self) -> None:
        """Each file fills its option."""
        self.write("host_list", "# ours\nexample.com\n")
        self.write("ports", "25\n587\n")
        self.write("flat.timeout", "1m\n")
        self.write("text", "a\n\n b\n")
        self.write("rules.yaml", "a: [1]\n")
        self.write("steps.yaml", "- 1\n- b\n")
        self.write("other.ini", "elsewhere=yes\nof_somebody_else=1\n")
        loaded = self._load()
        self.assertEqual(loaded.problems, ())
        self.assertEqual(
            loaded.options,
            Flat(
                domains=frozenset({"example.com"}),
                ports=(25, 587),
                timeout=60,
                text=("a", "", " b"),
                rules={"a": [1]},
                steps=(1, "b"),
                elsewhere=True,
            ),
        )

    def test_bad(self) -> None:
        """Files that say what the option cannot be are told by name."""
        self.write("ports", "smtp\n")
        self.write("flat.timeout", "-1\n")
        self.write("rules.json", "[]")
        self.write("steps.yaml", "a: 1")
        loaded = self._load()
        self.assertEqual(
            sorted(complaints(loaded)),
            [
                "config/flat.timeout: -1.0 is out of range: it must be at least 0; 30 "
                "is used",
                "config/ports: 'smtp' is not a number",
                "config/rules.json: expected an object",
                "config/steps.yaml: expected a list",
            ],
        )
        self.assertEqual(loaded.options, Flat())

    def test_empty(self) -> None:
        """A value file or YAML file without content is as good as none."""
        self.write("flat.timeout", "# nothing\n")
        self.write("steps.yaml", "")
        self.write("rules.yaml", "# nothing\n")
        loaded = self._load()
        self.assertEqual((loaded.options, loaded.problems), (Flat(), ()))

    def test_from_one_file(self) -> None:
        """Options may come from smtp.json as well."""
        self.write(
            "smtp.json", '{"!ports": [25], "!other.ini": {"main": {"elsewhere": true}}}'
        )
        loaded = self._load()
        self.assertEqual(loaded.options, Flat(ports=(25,), elsewhere=True))


class AuthorTests(ConfigTestCase):
    """Mistakes of whoever writes an option class."""

    def test_no_default(self) -> None:
        """An option without a default is refused at once."""

        @attrs.frozen
        class NoDefault:
            host: str = attrs.field(metadata=doc(""))

        error = self.assertRaises(TypeError, load_options, NoDefault, self.files(), "x")
        self.assertEqual(str(error), "NoDefault.host has no default")

    def test_bad_default(self) -> None:
        """So is a default that its own range refuses."""

        @attrs.frozen
        class BadDefault:
            port: int = attrs.field(default=0, validator=ge(1), metadata=doc(""))

        self.assertRaises(ValueError, load_options, BadDefault, self.files(), "x")

    def test_impossible_type(self) -> None:
        """So is a type that no file can hold."""

        @attrs.frozen
        class BadType:
            host: bytes = attrs.field(default=b"", metadata=doc(""))

        self.write("x.ini", "host=a\n")
        self.assertRaises(TypeError, load_options, BadType, self.files(), "x")
