"""Reading import statements."""

from twisted.trial.unittest import SynchronousTestCase

from tests.rules.imports import (
    find_cycle,
    forbidden_forms,
    imports_from,
    imports_of,
    module_graph,
    reachable,
    resolve,
)
from tests.rules.source import SourceFile


def source(name: str, text: str) -> SourceFile:
    """A file of one module."""
    return SourceFile(name, f"{name}.py", text)


class ImportsTests(SynchronousTestCase):
    """Which names a file imports."""

    def test_both_statements(self) -> None:
        """C{import} and C{from} tell the full name of what they take."""
        found = imports_of(source("m", "import a.b, c\nfrom d.e import f, g\n"))
        self.assertEqual(
            [(each.target, each.line) for each in found],
            [("a.b", 1), ("c", 1), ("d.e.f", 2), ("d.e.g", 2)],
        )

    def test_everywhere(self) -> None:
        """A statement inside a function or a condition counts as well."""
        text = "def f():\n  import a\ntry:\n  import b\nexcept ImportError: pass\n"
        found = {each.target for each in imports_of(source("m", text))}
        self.assertEqual(found, {"a", "b"})

    def test_type_checking(self) -> None:
        """What only a type checker imports is told apart; its C{else} is not."""
        text = "if TYPE_CHECKING:\n  import a\nelse:\n  import b\nimport c\n"
        found = {e.target: e.for_types_only for e in imports_of(source("m", text))}
        self.assertEqual(found, {"a": True, "b": False, "c": False})

    def test_imports_from(self) -> None:
        """A module is reached by its own name and by names in it, not by a prefix."""
        self.assertTrue(imports_from("a.b", "a.b"))
        self.assertTrue(imports_from("a.b.c", "a.b"))
        self.assertFalse(imports_from("a.bc", "a.b"))
        self.assertFalse(imports_from("a", "a.b"))

    def test_resolve(self) -> None:
        """A name in a module stands for the module; a stranger stands for nothing."""
        known = frozenset({"a", "a.b"})
        self.assertEqual(resolve("a.b.Name", known), "a.b")
        self.assertEqual(resolve("a.Name", known), "a")
        self.assertEqual(resolve("z.b", known), "")


class ForbiddenFormsTests(SynchronousTestCase):
    """Imports that the guide rules out."""

    def check(self, text: str, expected: str) -> None:
        """One complaint, and it says C{expected}."""
        found = list(forbidden_forms(source("m", text)))
        self.assertEqual(len(found), 1, found)
        self.assertIn(expected, found[0])

    def test_relative(self) -> None:
        """A relative import hides which part is meant."""
        self.check("from . import x\n", "relative")

    def test_wildcard(self) -> None:
        """A wildcard hides which names come in."""
        self.check("from a import *\n", "wildcard")

    def test_inside_a_function(self) -> None:
        """An import inside a function hides a cycle."""
        self.check("def f():\n  if x:\n    import a\n", "f()")

    def test_good(self) -> None:
        """Imports at the top pass."""
        text = "import a\nfrom b import c\ndef f(): pass\n"
        self.assertEqual(list(forbidden_forms(source("m", text))), [])


class GraphTests(SynchronousTestCase):
    """Arrows between modules."""

    def test_names_inside_modules(self) -> None:
        """An arrow leads to the module, be it named or one of its names."""
        graph = module_graph(
            [source("p.a", "from p import b\nfrom p.c import N\n")]
            + [source(name, "") for name in ("p", "p.b", "p.c")],
            with_types=True,
        )
        self.assertEqual(graph["p.a"], {"p.b", "p.c"})

    def test_types(self) -> None:
        """Imports for the type checker are arrows, but load nothing."""
        files = [source("a", "if TYPE_CHECKING:\n  import b\n"), source("b", "")]
        self.assertEqual(module_graph(files, with_types=True)["a"], {"b"})
        self.assertEqual(module_graph(files, with_types=False)["a"], set())

    def test_reachable(self) -> None:
        """What a module loads, it loads with all that this loads."""
        graph = {"a": frozenset("b"), "b": frozenset("c"), "d": frozenset("a")}
        self.assertEqual(reachable(graph, ["a"]), {"a", "b", "c"})

    def test_cycle(self) -> None:
        """The shortest ring is named, from a module back to itself."""
        graph = {
            "a": frozenset("b"),
            "b": frozenset("cd"),
            "c": frozenset("a"),
            "d": frozenset("b"),
        }
        self.assertEqual(find_cycle(graph), ("b", "d", "b"))

    def test_no_cycle(self) -> None:
        """Two ways to one module are no ring."""
        graph = {"a": frozenset("bc"), "b": frozenset("d"), "c": frozenset("d")}
        self.assertEqual(find_cycle(graph), ())
