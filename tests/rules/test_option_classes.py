"""Finding the option classes."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType, ModuleType

import attrs
from twisted.trial.unittest import SynchronousTestCase

from harakatw.config.options import doc, other_sections
from tests.rules.option_classes import core_pairs, option_classes, plugin_pairs


@attrs.frozen
class DomainOptions:
    """What stands in one section of L{OuterOptions}."""

    host: str = attrs.field(default="", metadata=doc("Where to."))


@attrs.frozen
class OuterOptions:
    """A class of options."""

    domains: Mapping[str, DomainOptions] = attrs.field(
        default=MappingProxyType({}), metadata=other_sections("One for each domain.")
    )


@attrs.frozen
class Value:
    """A class without options."""

    size: int = 0


class OptionClassesTests(SynchronousTestCase):
    """Which classes describe files."""

    def test_core(self) -> None:
        """The files that every instance has are among those found."""
        files = {getattr(cls, "config_file", "") for _, cls in option_classes()}
        self.assertLessEqual({"smtp.ini", "connection.ini", "log.ini"}, files)

    def test_parts_of_others(self) -> None:
        """A class for a file's sections is no file, and neither are other classes."""
        module = ModuleType(__name__)
        vars(module).update(a=DomainOptions, b=OuterOptions, c=Value, d=ModuleType)
        found = [cls for _, cls in core_pairs([module])]
        self.assertEqual(found, [OuterOptions])

    def test_imported_classes(self) -> None:
        """A class counts where it is written, not where it is used."""
        module = ModuleType("elsewhere")
        vars(module).update(b=OuterOptions)
        self.assertEqual(list(core_pairs([module])), [])

    def test_no_plugins(self) -> None:
        """What only plugins use is no plugin, so it has no options of its own."""
        folder = Path(self.mktemp())
        (folder / "rcpt_to").mkdir(parents=True)
        (folder / "_shared.py").touch()
        (folder / "rcpt_to" / "_shared.py").touch()
        self.assertEqual(list(plugin_pairs(folder)), [])
