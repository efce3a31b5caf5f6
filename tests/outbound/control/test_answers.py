"""What a queue answers."""

import base64
import json
from pathlib import Path
from typing import Any

import attrs

from harakatw.interfaces.queue import Demands, ItemState
from harakatw.outbound.control.answers import CHUNK_OCTETS, answer
from tests.outbound.control.queues import BODY, NOW, QueueTestCase, site, snapshot

NOTHING: dict[str, Any] = {"all": False, "sites": [], "senders": []}
READY, LEASED, HELD, DEAD = ItemState


class AnswerTestCase(QueueTestCase):
    """Asks a queue in memory."""

    def ask(self, verb: str, *words: str, **more: object) -> list[Any]:
        """The objects of an answer, as whoever asks gets them."""
        fields = {"verb": verb, "filter": words, **more}

        async def frames() -> list[Any]:
            line = json.dumps(fields).encode()
            asked = answer(self.tool, line)
            return [json.loads(json.dumps(each)) async for each in asked]

        found: list[Any] = self.result(frames())
        return found

    def done(self, verb: str, *words: str, **more: object) -> Any:
        """The end of an answer."""
        return self.ask(verb, *words, **more)[-1]["done"]


class LookTests(AnswerTestCase):
    """Looking at items."""

    def test_list(self) -> None:
        """The items that are meant, by number, and how many they are."""
        numbers = [self.add("a.example"), self.add("b.example"), self.add("a.example")]
        *items, end = self.ask("list", "domain=a.example")
        self.assertEqual([each["item"]["id"] for each in items], numbers[::2])
        self.assertEqual(end, {"done": {"items": 2}})

    def test_many_pages(self) -> None:
        """However many there are, each is listed once."""
        for _ in range(1001):
            self.add()
        *items, end = self.ask("list")
        self.assertEqual(len({each["item"]["id"] for each in items}), 1001)
        self.assertEqual(end, {"done": {"items": 1001}})

    def test_item(self) -> None:
        """All that a postmaster wants to know of an item."""
        number = self.add(age=60.0, state=HELD)
        found = self.ask("show", str(number))[0]["item"]
        self.assertEqual(
            found,
            {
                "id": number,
                "state": "held",
                "message_id": number,
                "uuid": "ABC.1",
                "sender": "me@ours.example",
                "domain": "a.example",
                "recipients": [{"address": "you@a.example"}],
                "size": len(BODY),
                "queued_at": NOW - 60,
                "due": NOW + 600,
                "attempts": 0,
                "warned": False,
                "site": "a.example",
                "next_hop": "",
                "last_error": "",
            },
        )

    def test_demands(self) -> None:
        """What few senders ask for is shown if this one did."""
        asked = Demands(priority=3, released_at=NOW)
        number = self.add(demands=asked)
        found = self.ask("show", str(number))[0]["item"]
        self.assertEqual(found["demands"], {"priority": 3, "released_at": NOW})

    def test_no_password(self) -> None:
        """Mail that goes elsewhere by hand shows where to, but no password."""
        number = self.add()
        to = "smtp://user:secret@relay.example:587"
        self.ask("reroute", str(number), to=to)
        (shown, _) = self.ask("show", str(number))
        self.assertEqual(shown["item"]["next_hop"], "relay.example:587")
        self.assertNotIn("secret", json.dumps(shown))

    def test_damaged_next_hop(self) -> None:
        """What a newer version wrote does not break the list."""
        kept = self.store._items[self.add()]
        kept.item = attrs.evolve(kept.item, next_hop="no hop at all")
        self.assertIn("understood", self.ask("list")[0]["item"]["next_hop"])

    def test_mistake(self) -> None:
        """A mistake is told in one object."""
        (found,) = self.ask("list", "sendr=x")
        self.assertIn("did you mean sender?", found["error"])


class CatTests(AnswerTestCase):
    """Looking at messages."""

    def cat(self, *words: str) -> bytes:
        """The message as whoever asks gets it."""
        *parts, end = self.ask("cat", *words)
        octets = b"".join(base64.b64decode(part["data"]) for part in parts)
        self.assertEqual(end, {"done": {"octets": len(octets)}})
        return octets

    def test_whole(self) -> None:
        """A message comes as it is queued, in pieces of bounded size."""
        body = bytes(range(256)) * 400
        number = self.add(body=body)
        self.assertEqual(self.cat(str(number)), body)
        parts = self.ask("cat", str(number))
        self.assertEqual(len(parts) - 1, -(-len(body) // CHUNK_OCTETS))

    def test_one_message(self) -> None:
        """Several messages in one would be of no use."""
        self.add()
        self.add()
        (found,) = self.ask("cat", "domain=a.example")
        self.assertIn("several messages", found["error"])

    def test_none(self) -> None:
        """There may be no such item."""
        self.assertEqual(self.ask("cat", "17"), [{"error": "there is no such item"}])


class ChangeTests(AnswerTestCase):
    """Changing items: each verb does what it says."""

    def test_verbs(self) -> None:
        """What becomes of an item that was ready, by verb."""
        for verb, more, state in (
            ("hold", {}, "held"),
            ("release", {}, "ready"),
            ("retry", {}, "ready"),
            ("reroute", {"to": "relay.example"}, "ready"),
            ("bounce", {"reason": "No"}, None),
            ("drop", {}, None),
        ):
            number = self.add()
            self.ask(verb, str(number), **more)
            self.assertEqual(self.states().get(number), state, verb)

    def test_done(self) -> None:
        """How many items were changed is told, and how many could not be."""
        self.add()
        self.add(state=LEASED)
        wanted = {"changed": 1, "in_delivery": 1, "kept": 0}
        self.assertEqual(self.done("hold", "domain=a.example"), wanted)

    def test_reason(self) -> None:
        """The postmaster's words are in the report."""
        self.add()
        self.ask("bounce", "domain=*", reason="No such list")
        self.assertEqual(self.reports.told[0].bounces[0].reply.text, "No such list")

    def test_dry_run(self) -> None:
        """What would be changed is listed and counted, and nothing is."""
        ready, held = self.add(), self.add(state=HELD)
        before = self.items()
        for verb, numbers in (
            ("hold", [ready]),
            ("release", [held]),
            ("drop", [ready, held]),
        ):
            *items, end = self.ask(verb, "domain=*", mode="list")
            self.assertEqual([each["item"]["id"] for each in items], numbers, verb)
            self.assertEqual(end, {"done": {"items": len(numbers)}})
            self.assertEqual(self.ask(verb, "domain=*", mode="count"), [end])
        self.assertEqual(self.items(), before)


class PauseTests(AnswerTestCase):
    """Delivery to a site, of a sender, or at all."""

    def test_pause(self) -> None:
        """What is paused, and whether anything has changed."""
        self.assertEqual(
            self.done("pause", "site=MX.example"),
            {"changed": True, "paused": {**NOTHING, "sites": ["mx.example"]}},
        )
        self.assertFalse(self.done("pause", "site=mx.example")["changed"])
        paused = self.done("pause", "sender=<>")["paused"]
        self.assertEqual((paused["sites"], paused["senders"]), (["mx.example"], ["<>"]))
        self.assertEqual(self.ask("stat")[0]["stat"]["paused"], paused)
        self.assertTrue(self.done("resume", "site=mx.example")["changed"])
        self.assertFalse(self.done("resume", all=True)["changed"])
        self.assertTrue(self.done("resume", "sender=<>")["changed"])
        self.assertEqual(self.ask("stat")[0]["stat"]["paused"], NOTHING)

    def test_running(self) -> None:
        """A server that runs heeds it at once, also if it was paused already."""
        engine = self.run_server()
        self.done("pause", all=True)
        self.done("pause", "sender=A@b.example")
        self.done("resume", all=True)
        self.done("resume", all=True)
        wanted = ["pause ", "pause a@b.example", "resume ", "resume "]
        self.assertEqual(engine.asked, wanted)

    def test_full_disk(self) -> None:
        """What cannot be remembered is not done."""
        engine = self.run_server()
        self.pauses.directory = Path(self.mktemp())
        error = self.ask("pause", all=True)[-1]["error"]
        self.assertIn("paused.json cannot be written: No such file", error)
        self.assertEqual((engine.asked, self.pauses.targets), ([], frozenset()))


class StatTests(AnswerTestCase):
    """The whole."""

    def test_stopped(self) -> None:
        """Without a server: how many items, by state, and what is due where."""
        self.add(due_in=-30.0)
        self.add(state=HELD)
        total, row, _ = self.ask("stat")
        counts = {"items": 2, "ready": 1, "leased": 0, "held": 1, "dead": 0}
        self.assertEqual(total, {"stat": {**counts, "paused": NOTHING, "engine": None}})
        wanted = {"site": "a.example", "due": 1, "late_seconds": 30.0}
        self.assertEqual(row, {"site": wanted})

    def test_running(self) -> None:
        """With a server also what goes on, the busiest site first."""
        for domain in ("idle.example", "busy.example", "busy.example"):
            self.add(domain, due_in=0.0)
        down = site("busy.example", failures=3, asked_in=60.04, why="timeout")
        self.run_server().shown = snapshot(
            down,
            site("only-live.example", ready=0),
            is_paused=True,
            paused_senders=frozenset(("z@x.example", "a@x.example")),
        )
        total, *sites, end = self.ask("stat")
        engine = total["stat"]["engine"]
        self.assertEqual(engine["paused"], True)
        self.assertEqual(engine["paused_senders"], ["a@x.example", "z@x.example"])
        names = [each["site"]["site"] for each in sites]
        wanted = ["busy.example", "idle.example", "only-live.example"]
        self.assertEqual(names, wanted)
        busy = sites[0]["site"]
        self.assertEqual((busy["due"], busy["ready"], busy["failures"]), (2, 3, 3))
        self.assertEqual((busy["asked_in_seconds"], busy["why"]), (60.0, "timeout"))
        self.assertEqual(end, {"done": {"sites": 3}})


class ShapeTests(AnswerTestCase):
    """Ages."""

    def test_rows(self) -> None:
        """Columns are named after where they end, for programs."""
        self.add(age=7 * 60.0)
        self.add("b.example", age=9e9)
        total, row, _ = self.ask("qshape", "domain=a.example")
        self.assertEqual(total["row"]["domain"], "TOTAL")
        self.assertEqual(row["row"]["domain"], "a.example")
        minutes = row["row"]["minutes"]
        edges = list(minutes)
        self.assertEqual([*edges[:2], *edges[-2:]], ["5", "10", "1280", "older"])
        self.assertEqual({key for key in minutes if minutes[key]}, {"10"})
        self.assertEqual(row["row"]["items"], 1)
        self.assertEqual(self.ask("qshape", "state=dead")[0]["row"]["items"], 0)
