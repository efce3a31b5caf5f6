"""What may be asked of a queue."""

import json

from twisted.trial.unittest import SynchronousTestCase

from harakatw.errors import HarakaError
from harakatw.interfaces.queue import Detour, Filter, ItemState
from harakatw.outbound.control.requests import (
    CHANGES,
    MAX_REASON,
    Mode,
    Request,
    Verb,
    parse_request,
)
from harakatw.outbound.scheduler.core import Target


def read(**fields: object) -> Request:
    """A request with these fields."""
    return parse_request(json.dumps(fields).encode())


class RequestTests(SynchronousTestCase):
    """Requests that make sense."""

    def test_filter(self) -> None:
        """A request has a verb and the words of a filter."""
        found = read(verb="list", filter=["state=held", "17"])
        wanted = Filter(ids=frozenset((17,)), state=ItemState.HELD)
        self.assertEqual(found, Request(verb=Verb.LIST, which=wanted))

    def test_all(self) -> None:
        """Everything may be changed by whoever says so."""
        self.assertEqual(read(verb="drop", all=True).which, Filter())

    def test_mode(self) -> None:
        """What would be changed can be listed and counted."""
        found = [
            read(verb="drop", all=True, mode=mode).mode for mode in ("list", "count")
        ]
        self.assertEqual(found, [Mode.LIST, Mode.COUNT])

    def test_detour(self) -> None:
        """A new way waits in the queue of the host that it leads to."""
        for to, wanted in (
            ("Relay.example", Detour("Relay.example", "relay.example:25")),
            ("192.0.2.1:26", Detour("192.0.2.1:26", "192.0.2.1:26")),
            (
                "smtp://u:secret@relay.example:587",
                Detour("smtp://u:secret@relay.example:587", "relay.example:587"),
            ),
            ("lmtp:/run/lmtp", Detour("lmtp:/run/lmtp", "/run/lmtp")),
            ("mx", Detour("")),
        ):
            self.assertEqual(read(verb="reroute", all=True, to=to).detour, wanted, to)

    def test_pause(self) -> None:
        """A site, a sender or everything is paused; names are in lower case then."""
        for asked, wanted in (
            ({"all": True}, Target()),
            ({"filter": ["site=MX.Example"]}, Target(site="mx.example")),
            ({"filter": ["site=/run/LMTP"]}, Target(site="/run/LMTP")),
            ({"filter": ["sender=Bob@A.example"]}, Target(sender="bob@a.example")),
            ({"filter": ["sender=<>"]}, Target(sender="<>")),
        ):
            for verb in ("pause", "resume"):
                self.assertEqual(read(verb=verb, **asked).target, wanted)

    def test_no_pause(self) -> None:
        """Nothing else can be paused, nor several at once, nor patterns."""
        for words in (
            [],
            ["domain=a.example"],
            ["17"],
            ["site=*.example"],
            ["sender=*"],
            ["site=a", "sender=b"],
            ["site=a", "state=ready"],
        ):
            asked = {"verb": "pause", "filter": words}
            self.assertRaises(HarakaError, read, **asked)
        self.assertRaises(HarakaError, read, verb="pause", all=True, mode="count")

    def test_reason(self) -> None:
        """Senders are told what the postmaster says, or else something polite."""
        usual = read(verb="bounce", all=True).why
        self.assertEqual(usual.text, "Returned by the postmaster")
        own = read(verb="bounce", all=True, reason="The list is closed").why
        self.assertEqual((own.code, own.text), (554, "The list is closed"))


class RefusalTests(SynchronousTestCase):
    """Requests that do not."""

    def refused(self, **fields: object) -> str:
        """Why this is none."""
        return str(self.assertRaises(HarakaError, read, **fields))

    def test_no_filter(self) -> None:
        """What changes or shows items wants to be told which."""
        for verb in (*CHANGES, Verb.SHOW, Verb.CAT):
            self.assertIn("which items?", self.refused(verb=verb.value))
            self.assertIn("which items?", self.refused(verb=verb.value, filter=[]))

    def test_filter_and_all(self) -> None:
        """Both at once would be a misunderstanding."""
        told = self.refused(verb="drop", all=True, filter=["17"])
        self.assertIn("not both", told)

    def test_of_other_verbs(self) -> None:
        """What a verb does not need is not ignored."""
        for fields, what in (
            ({"verb": "list", "to": "relay.example"}, "to is for reroute only"),
            ({"verb": "drop", "all": True, "reason": "x"}, "reason is for bounce"),
            ({"verb": "list", "mode": "count"}, "mode is not for list"),
            ({"verb": "stat", "filter": ["17"]}, "no filter"),
            ({"verb": "stat", "all": True}, "no filter"),
        ):
            self.assertIn(what, self.refused(**fields))

    def test_nowhere(self) -> None:
        """A host that cannot be is refused, and no password is repeated."""
        for to in ("", "no host", "smtp://u:secret@host:99999", "relay.example:0"):
            told = self.refused(verb="reroute", all=True, to=to)
            self.assertNotIn("secret", told)
        self.assertIn("where to?", self.refused(verb="reroute", all=True))

    def test_bad_reasons(self) -> None:
        """A reason is one line that fits a reply."""
        for reason in ("", "  ", "two\nlines", "x" * (MAX_REASON + 1), "\x1b[2J", "é"):
            told = self.refused(verb="bounce", all=True, reason=reason)
            self.assertIn("reason", told)

    def test_types(self) -> None:
        """Each field has its type."""
        for fields, what in (
            ({"verb": 1}, "verb must be a JSON string"),
            ({"verb": "list", "filter": "17"}, "filter must be a JSON array"),
            ({"verb": "list", "filter": [17]}, "array of strings"),
            ({"verb": "drop", "all": 1}, "all must be a JSON boolean"),
            ({"verb": "drop", "all": True, "mode": None}, "mode must be"),
            ({"verb": "drop", "all": True, "mode": "dry"}, "mode must be one of"),
            ({"verb": "frobnicate"}, "verb must be one of list, show"),
            ({}, "verb must be one of"),
            ({"verb": "list", "fliter": ["17"]}, "'fliter' is unknown"),
        ):
            self.assertIn(what, self.refused(**fields))

    def test_no_object(self) -> None:
        """Anything but a JSON object is told to be none."""
        for line in (b"", b"GET / HTTP/1.1", b"[]", b"17", b"null", b'"x"', b"\xff"):
            error = self.assertRaises(HarakaError, parse_request, line)
            self.assertIn("JSON", str(error))
        deep = b"[" * 60_000
        self.assertRaises(HarakaError, parse_request, deep)
