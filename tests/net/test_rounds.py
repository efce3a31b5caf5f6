"""What is said during one round of the reactor goes out together."""

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from harakatw.net.rounds import MOST_WAITING, Round, round_of


class RoundTests(SynchronousTestCase):
    """When replies are sent."""

    def setUp(self) -> None:
        """Nothing has been said."""
        self.sent: list[object] = []
        self.round = Round()

    def add(self, what: object) -> None:
        """Say something."""
        self.round.at_end(lambda: self.sent.append(what))

    def test_end(self) -> None:
        """What was said is sent when the round ends, in order, and once."""
        self.add(1)
        self.add(2)
        self.assertEqual(self.sent, [])
        self.round.end()
        self.round.end()
        self.assertEqual(self.sent, [1, 2])

    def test_said_while_sending(self) -> None:
        """What is said while others are told is sent then, too, and once."""
        self.round.at_end(lambda: self.add("later"))
        self.round.end()
        self.round.end()
        self.assertEqual(self.sent, ["later"])

    def test_many(self) -> None:
        """In a long round the first to be told do not wait for the last."""
        for number in range(MOST_WAITING):
            self.add(number)
        self.add("one more")
        self.assertEqual(self.sent, list(range(MOST_WAITING)))

    def test_mistake(self) -> None:
        """A mistake of ours with one client is logged, and the others are told."""
        self.round.at_end(lambda: [][0])
        self.add("the other")
        self.round.end()
        self.assertEqual(self.sent, ["the other"])
        self.assertEqual(len(self.flushLoggedErrors(IndexError)), 1)

    def test_reactors(self) -> None:
        """A reactor that knows of no rounds has one that is never open."""
        other = round_of(Clock())
        self.assertFalse(other.is_open)
        self.assertIsNot(other, round_of(Clock()))
        self.assertIs(round_of(_Reactor(self.round)), self.round)


class _Reactor:
    """A reactor that has rounds."""

    def __init__(self, own: Round) -> None:
        self.round = own
