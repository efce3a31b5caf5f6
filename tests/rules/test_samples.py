"""The sample configuration."""

from pathlib import Path

import attrs
from twisted.trial.unittest import SynchronousTestCase

from harakatw.config.options import doc, list_file, value_file
from tests.rules.option_classes import OWNER, option_classes
from tests.rules.samples import SAMPLES, all_samples, differences, write


@attrs.frozen
class ServerOptions:
    """Options of an invented owner."""

    size: int = attrs.field(default=7, metadata=doc("How big.", file="a.ini"))
    hosts: tuple[str, ...] = attrs.field(default=(), metadata=list_file("h", "Hosts."))


@attrs.frozen
class PluginOptions:
    """Options of another, which reads the same files and one of its own."""

    hosts: tuple[str, ...] = attrs.field(default=(), metadata=list_file("h", "Hosts."))
    more: int = attrs.field(default=9, metadata=doc("More.", file="a.ini"))
    each: str = attrs.field(default="", metadata=value_file("{name}.each", "Each."))


class SamplesTests(SynchronousTestCase):
    """The files in C{config/} say what the code does."""

    def test_up_to_date(self) -> None:
        """Every option, with its default, as C{tests/rules/samples.py} writes them."""
        wrong = differences(SAMPLES, all_samples(option_classes()))
        self.assertEqual(wrong, [])

    def test_shared_file(self) -> None:
        """A file of two owners has the options of both, but no text twice."""
        found = all_samples([("s", ServerOptions), ("p", PluginOptions)])
        self.assertEqual(list(found), ["a.ini", "h", "p.each"])
        self.assertIn("size", found["a.ini"])
        self.assertIn("more", found["a.ini"])
        self.assertEqual(found["h"].count("Hosts."), 1)

    def test_file_of_each_plugin(self) -> None:
        """A file that any plugin may have is no sample of its own."""
        self.assertNotIn(f"{OWNER}.each", all_samples([(OWNER, PluginOptions)]))

    def test_write(self) -> None:
        """Writing makes the folder what it should be, and names what was wrong."""
        folder = Path(self.mktemp())
        write(folder, {"a": "1", "b/c": "2"})
        self.assertEqual((folder / "b/c").read_text(), "2")
        self.assertEqual(differences(folder, {"a": "1", "d": "3"}), ["b/c", "d"])
        write(folder, {"a": "1", "d": "3"})
        self.assertEqual(differences(folder, {"a": "1", "d": "3"}), [])
