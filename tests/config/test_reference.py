"""The manual's page of all options."""

from collections.abc import Mapping
from typing import Literal

import attrs
from attrs.validators import ge
from twisted.trial.unittest import SynchronousTestCase

from harakatw.config.options import (
    doc,
    json_file,
    list_file,
    other_sections,
    value_file,
    whole_section,
)
from harakatw.config.reference import render_reference


@attrs.frozen(kw_only=True)
class Inner:
    """One section of many."""

    host: str = attrs.field(default="localhost", metadata=doc("Where to."))


@attrs.frozen(kw_only=True)
class Outer:
    """One option of each kind."""

    delay: float = attrs.field(
        default=1, validator=ge(0), metadata=doc("Wait.", unit="seconds", key="wait")
    )
    mode: Literal["a", "b"] = attrs.field(default="a", metadata=doc("a | b."))
    awards: Mapping[str, float] = attrs.field(
        factory=dict, metadata=whole_section("Points.", "awards")
    )
    domains: Mapping[str, Inner] = attrs.field(
        factory=dict, metadata=other_sections("A domain.")
    )
    zones: tuple[str, ...] = attrs.field(
        default=("x", "y"), metadata=list_file("zones", "Lists.")
    )
    limit: float | None = attrs.field(
        default=None, metadata=value_file("{name}.timeout", "At most.")
    )
    rules: object = attrs.field(default=None, metadata=json_file("r.json", "Rules."))


class ReferenceTests(SynchronousTestCase):
    """The page is made from the classes, so it is always right."""

    def test_page(self) -> None:
        """Each file has a table, each option a row; bars do not break the table."""
        head = "| Option | Default | Values | Meaning |\n|---|---|---|---|\n"
        self.assertEqual(
            render_reference([("outer", Outer)], "Options"),
            "# Options\n\n## outer.ini\n\n"
            + head
            + "| `[main] wait` | `1` | seconds, at least 0 | Wait. |\n"
            "| `[main] mode` | `a` | a or b | a \\| b. |\n"
            "| `[awards]`, any key |  |  | Points. |\n"
            "| any other section |  |  | A domain. |\n"
            "| `[...] host` | `localhost` |  | Where to. |\n"
            "\n## zones\n\n" + head + "| a line for each item | `x, y` |  | Lists. |\n"
            "\n## outer.timeout\n\n" + head + "| its first line |  |  | At most. |\n"
            "\n## r.json\n\n" + head + "| JSON or YAML |  |  | Rules. |\n",
        )
