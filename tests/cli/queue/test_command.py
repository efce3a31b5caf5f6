"""C{haraka queue} and the flags, whoever knows about the queue."""

import base64
import io
import json
from collections.abc import Mapping
from typing import Any

import attrs

from harakatw.cli.failure import CommandError
from harakatw.cli.queue import command, flags
from harakatw.cli.queue.arguments import queue_parser
from harakatw.cli.queue.asking import Question, Take
from harakatw.errors import HarakaError
from tests.cli.instances import InstanceTestCase
from tests.cli.queue.test_text import NOTHING, TOTALS, item

DONE = {"changed": 2, "in_delivery": 0, "kept": 0}


@attrs.define(eq=False)
class FakeQueue:
    """
    Answers as a test says.

    @ivar frames: the parts of an answer.
    @ivar done: its end.
    @ivar asked: the questions.
    """

    frames: list[tuple[str, Any]] = attrs.field(factory=list)
    done: dict[str, Any] = attrs.field(factory=lambda: dict(DONE))
    asked: list[Mapping[str, object]] = attrs.field(factory=list)
    is_closed: bool = False

    def ask(self, question: Question, take: Take) -> Mapping[str, Any]:
        """Answer."""
        self.asked.append(question.fields)
        if question.fields.get("mode") == "count":
            return {"items": 2}
        for key, value in self.frames:
            take(key, value)
        return self.done

    def close(self) -> None:
        """Note it."""
        self.is_closed = True


class CommandTestCase(InstanceTestCase):
    """Types commands."""

    def setUp(self) -> None:
        """Put a queue in the place of all others."""
        super().setUp()
        self.queue = FakeQueue()
        self.questions: list[str] = []
        self.agrees = True
        for module in (command, flags):
            self.patch(module, "open_queue", lambda instance: self.queue)

    def confirm(self, question: str) -> bool:
        """Say what the test says."""
        self.questions.append(question)
        return self.agrees

    def type(self, line: str) -> int:
        """Type C{haraka queue} and something."""
        parsed = queue_parser().parse_args(line.split())
        return command.run_queue(parsed, self.instance(), self.confirm, self.out)


class LookTests(CommandTestCase):
    """What is printed."""

    def test_list(self) -> None:
        """A list has headings and a line for each item."""
        self.queue.frames = [("item", item(id=1)), ("item", item(id=2))]
        self.assertEqual(self.type("list state=held"), 0)
        self.assertEqual(self.queue.asked, [{"verb": "list", "filter": ["state=held"]}])
        lines = self.printed().splitlines()
        self.assertEqual([line.split()[0] for line in lines], ["id", "1", "2"])
        self.assertTrue(self.queue.is_closed)

    def test_empty(self) -> None:
        """An empty list is nothing at all."""
        self.type("list")
        self.assertEqual(self.printed(), "")

    def test_json(self) -> None:
        """With --json each item is an object on a line of its own."""
        self.queue.frames = [("item", item(last_error="a\nb"))]
        self.type("list --json")
        (line,) = self.printed().splitlines()
        self.assertEqual(json.loads(line), item(last_error="a\nb"))

    def test_show(self) -> None:
        """Items are shown in full."""
        self.queue.frames = [("item", item())]
        self.type("show 17")
        self.assertIn("  from      <me@ours.example>", self.printed())

    def test_cat(self) -> None:
        """A message goes to a file octet by octet, to a terminal without its tricks."""
        octets = b"Subject: \xff\x1b[2J\r\n\r\n"
        self.queue.frames = [("data", base64.b64encode(octets).decode())]
        file = io.BytesIO()
        self.out: Any = io.TextIOWrapper(file)
        self.type("cat 17")
        self.assertEqual(file.getvalue(), octets)
        self.out = io.StringIO()
        self.type("cat 17")
        self.assertEqual(self.out.getvalue(), "Subject: \\xff\\x1b[2J\n\n")

    def test_stat(self) -> None:
        """The total comes first, then the table of sites."""
        site = {"site": "b.example", "due": 1, "late_seconds": 3.0}
        self.queue.frames = [("stat", TOTALS), ("site", site)]
        self.type("stat")
        total, _, heading, row = self.printed().splitlines()
        self.assertIn("6 items", total)
        self.assertIn("site", heading)
        self.assertIn("b.example", row)


class ChangeTests(CommandTestCase):
    """What is asked before, and told after."""

    def test_asked_first(self) -> None:
        """Before mail is changed, the postmaster is told how much, and may say no."""
        self.assertEqual(self.type("drop sender=a@b.example"), 0)
        self.assertEqual(self.questions, ["drop 2 items: sure?"])
        self.assertEqual(self.printed(), "2 items dropped\n")
        modes = [fields.get("mode") for fields in self.queue.asked]
        self.assertEqual(modes, ["count", None])

    def test_no(self) -> None:
        """A no is a no."""
        self.agrees = False
        self.assertEqual(self.type("bounce --all"), 1)
        self.assertEqual([each.get("mode") for each in self.queue.asked], ["count"])

    def test_yes_or_named(self) -> None:
        """Nobody is asked who said --yes, or named each item."""
        for line in ("hold --all --yes", "hold 17", "hold id=17 state=ready"):
            self.assertEqual(self.type(line), 0)
        self.assertEqual(self.questions, [])

    def test_dry_run(self) -> None:
        """A dry run lists, and changes nothing."""
        self.queue.frames = [("item", item())]
        self.assertEqual(self.type("drop domain=a.example --dry-run"), 0)
        (asked,) = self.queue.asked
        self.assertEqual(asked["mode"], "list")
        self.assertIn("<you@a.example>", self.printed())
        self.assertEqual(self.questions, [])

    def test_told(self) -> None:
        """What could not be done is told, for people and for programs."""
        self.queue.done = {"changed": 1, "in_delivery": 2, "kept": 3}
        self.type("bounce --all --yes")
        self.assertEqual(
            self.printed(),
            "1 item bounced\n"
            "2 items left alone: being delivered at this moment\n"
            "3 items kept as dead: there is no sender to be told\n",
        )
        self.out = io.StringIO()
        self.type("bounce --all --yes --json")
        self.assertEqual(json.loads(self.printed()), self.queue.done)

    def test_extras(self) -> None:
        """Where to, and why, is handed on."""
        self.type("reroute 17 --to relay.example")
        self.type("bounce 17 --reason Closed")
        first, second = self.queue.asked
        self.assertEqual(first["to"], "relay.example")
        self.assertEqual(second["reason"], "Closed")

    def test_mistakes(self) -> None:
        """What makes no sense is told before the queue is looked for."""
        for line, what in (
            ("list --yes", "changes nothing"),
            ("stat --dry-run", "changes nothing"),
            ("cat 17 --json", "--json"),
            ("drop", "which items?"),
            ("drop --all 17", "not both"),
            ("hold sendr=x", "did you mean sender?"),
            ("reroute 17", "where to?"),
            ("list --to relay.example", "to is for reroute"),
        ):
            error = self.assertRaises(HarakaError, self.type, line)
            self.assertIn(what, str(error), line)
        self.assertEqual(self.queue.asked, [])

    def test_closed_after_an_error(self) -> None:
        """The queue is let go of when the question cannot be answered."""

        def fail(question: Question, take: Take) -> Mapping[str, Any]:
            raise CommandError("no")

        self.patch(FakeQueue, "ask", lambda queue, *args: fail(*args))
        self.assertRaises(CommandError, self.type, "list")
        self.assertTrue(self.queue.is_closed)


class PauseTests(CommandTestCase):
    """C{pause} and C{resume}."""

    def test_told(self) -> None:
        """Nobody is asked, and what is paused now is told."""
        paused = {**NOTHING, "sites": ["mx.example"]}
        self.queue.done = {"changed": True, "paused": paused}
        self.assertEqual(self.type("pause site=mx.example"), 0)
        self.assertEqual(self.printed(), "paused sites: mx.example\n")
        self.assertEqual(self.questions, [])
        asked = {"verb": "pause", "filter": ["site=mx.example"]}
        self.assertEqual(self.queue.asked, [asked])

    def test_no_change(self) -> None:
        """Whoever does it twice is told so."""
        self.queue.done = {"changed": False, "paused": NOTHING}
        self.type("resume --all")
        self.assertEqual(self.printed(), "it was not paused\nnothing is paused\n")
        self.queue.done["paused"] = {**NOTHING, "all": True}
        self.type("pause --all")
        self.assertIn("it was paused already\nall delivery is paused\n", self.printed())

    def test_json(self) -> None:
        """For programs."""
        self.queue.done = {"changed": True, "paused": NOTHING}
        self.type("pause --all --json")
        self.assertEqual(json.loads(self.printed()), self.queue.done)

    def test_senseless(self) -> None:
        """There is nothing to be tried out or confirmed."""
        for line in ("pause --all --dry-run", "resume --all --yes", "pause"):
            self.assertRaises(HarakaError, self.type, line)


class FlagTests(CommandTestCase):
    """Haraka's flags."""

    def test_list(self) -> None:
        """C{--qlist} prints Haraka's line for each item."""
        self.queue.frames = [("item", item()), ("item", item(sender="", id=18))]
        self.assertEqual(flags.queue_list(self.instance(), self.out), 0)
        self.assertEqual(
            self.printed(),
            "Q: 17 rcpt:1 from:<me@ours.example> domain:a.example\n"
            "Q: 18 rcpt:1 from:<> domain:a.example\n",
        )

    def test_stat(self) -> None:
        """C{--qstat} prints where the queue is, and how much is in it."""
        self.write(queue_dir="mail/queue\n")
        self.queue.frames = [("stat", TOTALS), ("site", {"site": "x"})]
        flags.queue_stat(self.instance(), self.out)
        where, total, _ = self.printed().splitlines()
        self.assertEqual(where, f"queue: {self.directory.absolute()}/mail/queue")
        self.assertIn("6 items", total)

    def test_unstick(self) -> None:
        """C{--qunstick} tries all mail now, or that for one domain."""
        for domain, asked in (
            ("", {"verb": "retry", "all": True}),
            ("a.example", {"verb": "retry", "filter": ["domain=a.example"]}),
        ):
            flags.queue_unstick(self.instance(), domain, self.out)
            self.assertEqual(self.queue.asked.pop(), asked)
        self.assertEqual(self.printed(), "2 items to be tried now\n" * 2)

    def test_empty(self) -> None:
        """C{--qempty} asks first, unless told not to."""
        self.agrees = False
        found = flags.queue_empty(self.instance(), self.confirm, self.out)
        self.assertEqual((found, self.printed()), (1, ""))
        self.assertEqual(flags.queue_empty(self.instance(), None, self.out), 0)
        self.assertEqual(self.questions, ["drop 2 items: sure?"])
        self.assertEqual(self.queue.asked[-1], {"verb": "drop", "all": True})
