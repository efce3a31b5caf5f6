"""What the log says of attempts."""

from harakatw.interfaces.queue import (
    QueuedRecipient,
)
from tests.log_events import collect_log
from tests.outbound.post_office import (
    ALICE,
    EPOCH,
    FIRST,
)
from tests.outbound.telling import Listens, TellerTestCase

MINUTE = 60.0


class LogTests(TellerTestCase):
    """One line for each outcome."""

    def test_lines(self) -> None:
        """They say who, where, how often, how long and what was answered."""
        events = collect_log(self)
        post = self.office()
        post.first.take = lambda taken: b"250 2.6.0 queued as 4711"
        self.answer(post, carol=b"450 4.2.1 grey", dave=b"550 5.1.1 who")
        names = ("bob", "carol", "dave", "erin")
        self.put(post, *(QueuedRecipient(f"{name}@far.example") for name in names))
        post.run(1)
        lines = [event for event in events if event.get("uuid") == "U.1"]
        said = [(line["word"], line["rcpts"], line["said"]) for line in lines]
        self.assertEqual(
            said,
            [
                (
                    "delivered",
                    "<bob@far.example>,<erin@far.example>",
                    "250 2.6.0 queued as 4711",
                ),
                ("bounced", "<dave@far.example>", "550 5.1.1 who"),
                ("deferred", "<carol@far.example>", "450 4.2.1 grey"),
            ],
        )
        for line in lines:
            self.assertEqual(line["sender"], ALICE)
            self.assertEqual(line["host"], f"mx1.far.example[{FIRST}]:25")
            self.assertEqual((line["tls"], line["attempts"]), ("no", 1))
            self.assertEqual(line["domain"], "far.example")
            self.assertTrue(0 < line["delay"] < 1)

    def test_given_up(self) -> None:
        """The last attempt makes one line, not two."""
        events = collect_log(self)
        post = self.office(intervals=())
        post.net.hosts.clear()
        self.put(post)
        post.run(1)
        words = [event["word"] for event in events if event.get("uuid") == "U.1"]
        self.assertEqual(words, ["bounced"])
        hosts = [event["host"] for event in events if event.get("uuid") == "U.1"]
        self.assertEqual(hosts, ["none"])

    def test_switched_off(self) -> None:
        """Below C{info} there are none, but what the postmaster must see."""
        events = collect_log(self)
        post = self.office()
        post.teller._switch.info = False
        self.answer(post, bob=b"550 5.1.1 who")
        self.put(post, sender="")
        post.run(1)
        words = [event.get("word") for event in events if event.get("uuid") == "U.1"]
        self.assertEqual(words, [None])

    def test_time(self) -> None:
        """The delay is that since the message came."""
        listens = Listens()
        post = self.office(listens)
        self.answer(post, bob=b"450 4.2.1 grey")
        self.put(post)
        post.run(MINUTE)
        self.answer(post)
        post.run(MINUTE)
        self.assertEqual(post.clock.seconds(), EPOCH + 2 * MINUTE)
        (delivery,) = listens.deliveries
        self.assertApproximates(delivery.delay, MINUTE, 2)
