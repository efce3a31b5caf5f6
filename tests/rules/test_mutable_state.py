"""Finding state that servers of one process would share."""

from twisted.trial.unittest import SynchronousTestCase

from tests.rules.mutable_state import shared_state
from tests.rules.source import SourceFile


def complaints(text: str) -> list[str]:
    """What is wrong with a module that says C{text}."""
    return list(shared_state(SourceFile("m", "m.py", text)))


class SharedStateTests(SynchronousTestCase):
    """What counts as shared and what does not."""

    def test_bad(self) -> None:
        """Whatever can change and outlives a server is found."""
        for text in (
            "seen = []\n",
            "SEEN = {}\n",
            "SEEN: Final = {'a': 1}\n",
            "SEEN: dict[str, int] = {}\n",
            "_by_name = {n: 1 for n in 'ab'}\n",
            "SEEN = collections.defaultdict(list)\n",
            "_numbers = itertools.count()\n",
            "class C:\n  seen = set()\n",
            "class C:\n  seen: ClassVar[list[str]] = []\n",
            "def f():\n  global x\n  x = 1\n",
        ):
            self.assertEqual(len(complaints(text)), 1, text)

    def test_good(self) -> None:
        """Constants that nobody can change pass."""
        for text in (
            "NAMES = ('a', 'b')\n",
            "NAMES = frozenset({'a'})\n",
            "TABLE = MappingProxyType({'a': 1})\n",
            "TABLE: Mapping[str, int] = {'a': 1}\n",
            "TABLE: Final[Mapping[str, int]] = {'a': 1}\n",
            "__all__ = ['f']\n",
            "class C:\n  why: ClassVar[Mapping[str, str]] = {'a': 'b'}\n",
            "class C:\n  seen: list[str] = attrs.field(factory=list)\n",
            "def f():\n  seen = []\n",
        ):
            self.assertEqual(complaints(text), [], text)

    def test_spelling(self) -> None:
        """A table that cannot change is spelled as the constant that it is."""
        self.assertIn("capitals", complaints("by_name: Mapping[str, int] = {}\n")[0])
