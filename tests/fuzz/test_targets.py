"""Each target for a moment; C{python -m tests.fuzz} is for longer."""

from collections.abc import Callable

from twisted.trial.unittest import SynchronousTestCase

from tests.fuzz.all_targets import all_targets
from tests.fuzz.target import Target
from tests.properties import given, settings
from tests.rules.source import CHECKOUT

EXAMPLES = 150


class TargetTests(SynchronousTestCase):
    """A test for each target is added below."""


def _test_of(target: Target) -> Callable[[TargetTests], None]:
    def test(self: TargetTests) -> None:
        @settings(max_examples=EXAMPLES)
        @given(target.inputs)
        def run(arguments: tuple[object, ...]) -> None:
            target.check(*arguments)

        run()
        self.assertEqual(self.flushLoggedErrors(), [])

    test.__doc__ = target.check.__doc__
    return test


for _name, _target in all_targets().items():
    setattr(TargetTests, f"test_{_name}", _test_of(_target))


class CompletenessTests(SynchronousTestCase):
    """No parser of what strangers send is left out."""

    NO_PARSERS = frozenset(("wire.session", "message.seven_bit.errors"))
    """What reads nothing: a table, an exception."""

    HELPERS = frozenset(
        (
            "message.spool",
            *(f"message.mime.{name}" for name in ("motion", "reader", "streams")),
        )
    )
    """What takes nothing apart: it hands on octets, or what others have found."""

    def modules(self, folder: str) -> set[str]:
        """The modules of a folder of the package, and of those in it."""
        package = CHECKOUT / "harakatw"
        paths = (package / folder).rglob("*.py")
        names = (path.relative_to(package).with_suffix("").as_posix() for path in paths)
        found = {name.replace("/", ".") for name in names}
        return {name for name in found if not name.endswith(".__init__")}

    def covered(self) -> set[str]:
        """The modules that have a target."""
        return {name for each in all_targets().values() for name in each.modules}

    def test_wire_and_message(self) -> None:
        """Every module that takes octets of strangers apart has a target."""
        wanted = self.modules("wire") | self.modules("message") | {"address"}
        missing = wanted - self.covered() - self.NO_PARSERS - self.HELPERS
        self.assertEqual(missing, set())

    def test_exist(self) -> None:
        """What targets and exceptions name is there."""
        for name in self.covered() | self.NO_PARSERS | self.HELPERS:
            path = CHECKOUT / "harakatw" / f"{name.replace('.', '/')}.py"
            self.assertTrue(path.is_file(), name)
