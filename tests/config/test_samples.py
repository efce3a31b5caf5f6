"""The sample configuration."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

import attrs
from attrs.validators import and_, ge, le

from harakatw.config.connection import ConnectionOptions
from harakatw.config.core import LogOptions, ServerOptions
from harakatw.config.options import (
    data_file,
    doc,
    list_file,
    load_options,
    other_sections,
    value_file,
    whole_section,
)
from harakatw.config.samples import render_samples
from harakatw.config.schema import OptionClass
from tests.config.folders import ConfigTestCase

CORE: Mapping[str, OptionClass] = MappingProxyType(
    {"smtp": ServerOptions, "connection": ConnectionOptions, "log": LogOptions}
)


@attrs.frozen(kw_only=True)
class Inner:
    """One section of many."""

    host: str = attrs.field(default="localhost", metadata=doc("Where to."))


@attrs.frozen(kw_only=True)
class Outer:
    """One option of each kind."""

    delay: float = attrs.field(
        default=1.5,
        validator=and_(ge(0), le(9)),
        metadata=doc(" ".join(["Wait.", *["Long."] * 12]), unit="seconds"),
    )
    hooks: tuple[str, ...] = attrs.field(
        default=("mail", "rcpt"), metadata=doc("Which.", section="more")
    )
    lines: tuple[str, ...] = attrs.field(
        default=("a b", "c"), metadata=doc("Text.", section="more", split=False)
    )
    mode: Literal["hold", "drop"] = attrs.field(default="hold", metadata=doc("How."))
    awards: Mapping[str, float] = attrs.field(
        factory=lambda: {"a": 1.0}, metadata=whole_section("Points.", "awards")
    )
    domains: Mapping[str, Inner] = attrs.field(
        factory=dict, metadata=other_sections("A domain.")
    )
    zones: tuple[str, ...] = attrs.field(
        default=("x.example", "y.example"), metadata=list_file("zones", "Lists.")
    )
    limit: float = attrs.field(
        default=30, metadata=value_file("{name}.timeout", "At most.", unit="seconds")
    )
    raw: tuple[str, ...] = attrs.field(default=(), metadata=data_file("raw", "Text."))


class SampleTests(ConfigTestCase):
    """Samples show every option and change none."""

    def test_layout(self) -> None:
        """An ini sample has text, unit, range and default of each option."""
        self.assertEqual(
            render_samples(Outer, "outer"),
            {
                "outer.ini": (
                    f"[main]\n\n; Wait. {'Long. ' * 11}\n".replace(". \n", ".\n")
                    + "; Long. (seconds, at least 0 and at most 9)\n;delay=1.5\n\n"
                    "; How. (hold or drop)\n;mode=hold\n\n"
                    "[more]\n\n"
                    "; Which. (a list)\n;hooks=mail, rcpt\n\n"
                    "; Text. (one [] line for each)\n;lines[]=a b\n;lines[]=c\n\n"
                    "; Points.\n;[awards]\n;a=1.0\n\n"
                    "; A domain.\n;[example.org]\n; Where to.\n;host=localhost\n"
                ),
                "zones": "# Lists.\nx.example\ny.example\n",
                "outer.timeout": "# At most. (seconds)\n#30\n",
            },
        )

    def test_change_nothing(self) -> None:
        """With the samples in place a server runs as without."""
        classes: dict[str, OptionClass] = {**CORE, "outer": Outer}
        for name, cls in classes.items():
            for file, text in render_samples(cls, name).items():
                self.write(file, text)
            loaded = load_options(cls, self.files(), name)
            self.assertEqual(loaded.problems, ())
            self.assertEqual(loaded.options, cls())

    def test_say_what_is(self) -> None:
        """With all comment marks taken off, it still runs as without."""
        for name, cls in CORE.items():
            for file, text in render_samples(cls, name).items():
                self.write(file, re.sub(r"(?m)^[;#](?! )", "", text))
            loaded = load_options(cls, self.files(), name)
            self.assertEqual(loaded.problems, ())
            self.assertEqual(loaded.options, cls())

    def test_every_option(self) -> None:
        """No option of an ini file is missing from its sample."""
        text = render_samples(ConnectionOptions, "connection")["connection.ini"]
        keys = re.findall(r"(?m)^;(\w+)(?:\[\])?=", text)
        self.assertEqual(len(keys), 30)
        self.assertEqual(len(set(keys)), 30)
