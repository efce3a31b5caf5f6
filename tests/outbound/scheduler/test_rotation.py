"""Whose turn it is."""

from twisted.trial.unittest import SynchronousTestCase

from harakatw.outbound.attempt import Work
from harakatw.outbound.options import SiteLimits
from harakatw.outbound.scheduler.backoff import BackoffSettings
from harakatw.outbound.scheduler.rotation import Rotation, Shares, make_shares
from harakatw.outbound.scheduler.site import Seat, Site, make_site
from tests.outbound.test_attempt import ITEM

FROM_STORE = "d.example"


def site_with(count: int, *, queue: str = "", proven: bool = False) -> Site:
    """A site with some items."""
    site = make_site("d.example", SiteLimits(connections=20), BackoffSettings())
    for _ in range(count):
        site.push(Work(ITEM, None, queue))
    if proven:
        site.backoff.answered(0.0)
    return site


class RotationTests(SynchronousTestCase):
    """Turns and seats."""

    def start(self, rotation: Rotation) -> Site | None:
        """Let the next one start, and give it another turn after the others."""
        site = rotation.next(1.0)
        if site is not None:
            rotation.started(site.seat(1.0))
            site.pop()
            site.running += 1
            rotation.enlist(site, 1.0)
        return site

    def end(self, rotation: Rotation, site: Site, seat: Seat) -> None:
        """An attempt ends."""
        site.running -= 1
        rotation.ended(seat)
        rotation.enlist(site, 1.0)

    def test_turns(self) -> None:
        """One attempt for each site in each round."""
        rotation = Rotation(make_shares(100))
        sites = [site_with(3, proven=True) for _ in range(3)]
        for site in sites:
            rotation.enlist(site, 1.0)
        started = [self.start(rotation) for _ in range(10)]
        self.assertEqual(started, [*sites * 3, None])

    def test_once_in_line(self) -> None:
        """A site that is enlisted again does not get more turns."""
        rotation = Rotation(make_shares(100))
        first, second = site_with(5, proven=True), site_with(1, proven=True)
        for site in (first, first, second, first):
            rotation.enlist(site, 1.0)
        started = [self.start(rotation) for _ in range(3)]
        self.assertEqual(started, [first, second, first])

    def test_all(self) -> None:
        """There are no more attempts than there may be."""
        rotation = Rotation(Shares(3, 2, 1))
        site = site_with(9, proven=True)
        rotation.enlist(site, 1.0)
        started = [self.start(rotation) for _ in range(4)]
        self.assertEqual(started, [site, site, site, None])
        self.end(rotation, site, Seat.PROVEN)
        self.assertIs(self.start(rotation), site)

    def test_unproven(self) -> None:
        """Sites that nobody knows get their share, and the others do not wait."""
        rotation = Rotation(Shares(10, 2, 1))
        unknown = [site_with(1) for _ in range(4)]
        proven = site_with(9, proven=True)
        for site in (*unknown, proven):
            rotation.enlist(site, 1.0)
        started = [self.start(rotation) for _ in range(4)]
        self.assertEqual(started, [*unknown[:2], proven, proven])
        self.end(rotation, unknown[0], Seat.FRESH)
        self.assertIs(self.start(rotation), unknown[2])

    def test_backlog(self) -> None:
        """Of that share the backlog gets a part; new mail comes before it."""
        rotation = Rotation(Shares(10, 3, 1))
        old = [site_with(1, queue=FROM_STORE) for _ in range(3)]
        new = [site_with(1) for _ in range(3)]
        for site in (*old, *new):
            rotation.enlist(site, 1.0)
        started = [self.start(rotation) for _ in range(4)]
        self.assertEqual(started, [old[0], new[0], new[1], None])
        self.end(rotation, old[0], Seat.BACKLOG)
        self.assertIs(self.start(rotation), new[2])
        self.end(rotation, new[0], Seat.FRESH)
        self.assertIs(self.start(rotation), old[1])

    def test_new_mail_for_a_parked_site(self) -> None:
        """A site that waits with its backlog gets new mail, and with it a seat."""
        rotation = Rotation(Shares(10, 3, 1))
        first, second = (site_with(1, queue=FROM_STORE) for _ in range(2))
        for site in (first, second):
            rotation.enlist(site, 1.0)
        self.assertEqual([self.start(rotation), self.start(rotation)], [first, None])
        second.push(Work(ITEM))
        rotation.enlist(second, 1.0)
        self.assertIs(self.start(rotation), second)

    def test_proven_meanwhile(self) -> None:
        """A site that answers waits for a seat no longer."""
        rotation = Rotation(Shares(10, 1, 1))
        first, second = site_with(1), site_with(2)
        for site in (first, second):
            rotation.enlist(site, 1.0)
        self.assertEqual([self.start(rotation), self.start(rotation)], [first, None])
        second.backoff.answered(1.0)
        rotation.enlist(second, 1.0)
        self.assertIs(self.start(rotation), second)

    def test_paused_in_line(self) -> None:
        """A site that was paused loses its turn, and holds up nobody."""
        rotation = Rotation(Shares(10, 1, 1))
        first, second, third = site_with(1), site_with(1), site_with(1)
        for site in (first, second, third):
            rotation.enlist(site, 1.0)
        self.assertIs(self.start(rotation), first)
        self.assertIsNone(self.start(rotation))
        second.is_paused = True
        self.end(rotation, first, Seat.FRESH)
        self.assertIs(self.start(rotation), third)

    def test_shares(self) -> None:
        """Half, and three quarters of that; at least one of each."""
        self.assertEqual(make_shares(100), Shares(100, 50, 38))
        self.assertEqual(make_shares(1), Shares(1, 1, 1))
