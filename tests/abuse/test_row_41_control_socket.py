"""Row 41: the control socket goes on, whatever comes in."""

import gzip
import json

from twisted.internet.testing import StringTransport

from harakatw.outbound.control.grammar import KEYS
from harakatw.outbound.control.requests import Verb
from tests.outbound.control.sockets import OURS, SocketTestCase
from tests.properties import example, given, st

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
FIELDS = ("verb", "filter", "all", "mode", "to", "reason")
LOOKING = ("list", "show", "cat", "stat", "qshape")


class HostileTests(SocketTestCase):
    """Each thing that is sent gets an answer, and so does what is asked after it."""

    def setUp(self) -> None:
        """Have something in the queue that could get lost."""
        super().setUp()
        self.number = self.add()

    def send(self, octets: bytes) -> None:
        """Send something, then ask how the queue is: it must be as it was."""
        protocol, line = self.connect()
        protocol.dataReceived(octets + b"\n")
        if not line.disconnecting:
            line.clear()
            protocol.dataReceived(b'{"verb": "list"}\n')
            item, end = self.heard(line)
            self.assertEqual(item["item"]["state"], "ready")
            self.assertEqual(end, {"done": {"items": 1}})
        self.hang_up(protocol)
        self.assertEqual(self.factory.connections, set())
        self.assertEqual(self.flushLoggedErrors(), [])

    @given(st.binary(max_size=200))
    @example(b"\0" * 100)
    @example(b"GET /control HTTP/1.1\r\nHost: localhost\r\n\r\n")
    @example(gzip.compress(b"0" * 100_000))
    @example(b"[" * 65_000)
    @example(b'{"verb":' * 8_000)
    @example(b"9" * 60_000)
    @example(b"\xff\xfe{\0}\0")
    def test_octets(self, octets: bytes) -> None:
        """Anything at all, also several lines of it."""
        self.send(octets)

    @given(st.dictionaries(st.sampled_from(FIELDS), JSON_VALUES))
    def test_objects(self, fields: dict[str, object]) -> None:
        """Objects with fields that there are and values that there are not."""
        self.send(json.dumps(fields).encode())

    @given(
        st.sampled_from(LOOKING),
        st.lists(st.builds("{}={}".format, st.sampled_from(KEYS), st.text())),
    )
    @example("list", ["error=" + "*a" * 5_000])
    @example("list", ["error=../../../etc/passwd"])
    @example("cat", ["id=../../queue.db"])
    @example("list", ["sender=a' OR 1=1 --"])
    @example("list", [f"id={'9' * 19}"])
    def test_filters(self, verb: str, words: list[str]) -> None:
        """Filters that mean nothing, and such as should mean more than they say."""
        self.send(json.dumps({"verb": verb, "filter": words}).encode())

    def test_every_verb_without_a_filter(self) -> None:
        """No verb changes everything by a slip."""
        for verb in Verb:
            for filters in ("[]", '[""]', '["domain="]', '["id="]', '["=x"]', "null"):
                self.send(f'{{"verb": "{verb.value}", "filter": {filters}}}'.encode())

    def test_many_stars(self) -> None:
        """A filter with many stars takes no longer than one with few."""
        words = ["error=" + "*a" * 3_000 + "*b"]
        kept = self.store._items[self.number]
        object.__setattr__(kept.item, "last_error", "a" * 500)
        self.send(json.dumps({"verb": "list", "filter": words}).encode())

    def test_strangers(self) -> None:
        """Another user gets no word in, however much they send."""
        protocol, line = self.connect(uid=OURS + 1)
        self.assertIsInstance(line, StringTransport)
        for _ in range(100):
            protocol.dataReceived(b'{"verb": "drop", "all": true}\n' * 10)
        self.assertEqual(len(self.heard(line)), 1)
        self.assertEqual(self.states(), {self.number: "ready"})
