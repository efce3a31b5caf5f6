"""The words that say which items are meant."""

from harakatw.interfaces.queue import Filter, ItemState
from harakatw.outbound.control.grammar import (
    KEYS,
    FilterError,
    parse_filter,
    parse_seconds,
)
from tests.outbound.control.queues import QueueTestCase
from tests.properties import given, st


class FilterTests(QueueTestCase):
    """What can be said."""

    def test_every_key(self) -> None:
        """Each key is for one property of an item; all that are given must hold."""
        words = {
            "id": "17",
            "uuid": "ABC.1",
            "sender": "*@ours.example",
            "recipient": "you@*",
            "domain": "a.example",
            "site": "mx.a.example",
            "state": "held",
            "error": "*timeout*",
            "older": "2d",
            "younger": "1h30m",
        }
        self.assertEqual(tuple(words), KEYS)
        found = parse_filter(f"{key}={value}" for key, value in words.items())
        self.assertEqual(
            found,
            Filter(
                ids=frozenset((17,)),
                uuid="ABC.1",
                sender="*@ours.example",
                recipient="you@*",
                domain="a.example",
                site="mx.a.example",
                state=ItemState.HELD,
                error="*timeout*",
                older_seconds=172_800.0,
                younger_seconds=5400.0,
            ),
        )

    def test_nothing(self) -> None:
        """Without a word all items are meant."""
        self.assertEqual(parse_filter(()), Filter())

    def test_numbers(self) -> None:
        """Items are named by their numbers alone, as often as one likes."""
        found = parse_filter(("17", "18,19", "id=20"))
        self.assertEqual(found.ids, frozenset((17, 18, 19, 20)))

    def test_null_path(self) -> None:
        """C{sender=<>} finds bounces, and nothing else."""
        bounce, _ = self.add(sender=""), self.add()
        found = self.store.find(parse_filter(("sender=<>",)), 10)
        ids = [item.id for item in self.successResultOf(found)]
        self.assertEqual(ids, [bounce])

    def test_value_with_equals_sign(self) -> None:
        """Addresses may have an equals sign in them."""
        found = parse_filter(("sender=a+b=c@list.example",))
        self.assertEqual(found.sender, "a+b=c@list.example")


class MistakeTests(QueueTestCase):
    """A slip must not mean other items, and never all of them."""

    def refused(self, *words: str) -> str:
        """What somebody is told who types this."""
        return str(self.assertRaises(FilterError, parse_filter, words))

    def test_unknown_key(self) -> None:
        """A key that there is not is told with the one that is nearest."""
        self.assertIn("did you mean sender?", self.refused("sendr=a@b.example"))
        self.assertIn("did you mean domain?", self.refused("Domain=b.example"))
        self.assertIn("the keys are id, uuid", self.refused("zzz=1"))

    def test_no_key(self) -> None:
        """A word that is neither a pair nor a number is no filter."""
        self.assertIn("neither", self.refused("held"))

    def test_empty_value(self) -> None:
        """C{domain=} from a script whose variable is empty does not mean all mail."""
        for key in KEYS:
            self.assertIn("would mean any", self.refused(f"{key}="))
        self.assertIn("sender=<>", self.refused("sender="))

    def test_twice(self) -> None:
        """Two values for one key would exclude each other."""
        told = self.refused("domain=a.example", "domain=b.example")
        self.assertEqual(told, "domain is given twice")

    def test_bad_values(self) -> None:
        """Numbers, states and times that cannot be are told by their keys."""
        for word, what in (
            ("id=x", "id=x"),
            ("id=-1", "numbers"),
            ("id=1,", "numbers"),
            ("99999999999999999999999", "neither"),
            (f"id={1 << 63}", "numbers"),
            ("state=frozen", "ready, leased, held, dead"),
            ("older=2", "2d"),
            ("older=-5m", "time"),
            ("younger=5 m", "time"),
            ("domain=a\0b", "print"),
            ("sender=\udcff@x", "print"),
            ("error=a\nb", "print"),
        ):
            self.assertIn(what, self.refused(word), word)

    @given(st.lists(st.text()))
    def test_anything(self, words: list[str]) -> None:
        """Whatever is typed is a filter or a mistake with an explanation."""
        try:
            parse_filter(words)
        except FilterError as error:
            self.assertNotEqual(str(error), "")

    @given(st.sampled_from(KEYS), st.text(alphabet="0123456789smhdw,*-<>\0é"))
    def test_any_value(self, key: str, value: str) -> None:
        """The same with keys that there are."""
        try:
            parse_filter((f"{key}={value}",))
        except FilterError as error:
            self.assertNotEqual(str(error), "")


class SecondsTests(QueueTestCase):
    """Ages."""

    def test_units(self) -> None:
        """Every unit, and several in one."""
        for text, seconds in (
            ("90s", 90),
            ("5m", 300),
            ("12h", 43_200),
            ("2d", 172_800),
            ("1w", 604_800),
            ("1d12h", 129_600),
        ):
            self.assertEqual(parse_seconds(text), seconds, text)
