"""
Every dialogue of C{tests/transcripts}, whole, octet by octet, and cut at every place:
the replies must not depend on how the network cut what the client sent.
"""

from collections.abc import Callable, Sequence

from twisted.trial.unittest import SynchronousTestCase

from tests.smtp.transcripts import Cut, Transcript, find_transcripts, parse_transcript


def whole(octets: bytes) -> Sequence[bytes]:
    """Not cut at all."""
    return (octets,)


def octet_by_octet(octets: bytes) -> Sequence[bytes]:
    """Cut everywhere at once."""
    return [octets[at : at + 1] for at in range(len(octets))]


def cut_at(place: int) -> Cut:
    """
    Cut in two.

    @param place: octets before the cut, counted through the whole dialogue.
    """
    passed = 0

    def cut(octets: bytes) -> Sequence[bytes]:
        nonlocal passed
        at = place - passed
        passed += len(octets)
        return (octets[:at], octets[at:]) if 0 < at < len(octets) else (octets,)

    return cut


class TranscriptTests(SynchronousTestCase):
    """A test for each dialogue is added below."""

    def _replay(self, transcript: Transcript) -> None:
        cuts: list[tuple[str, Cut]] = [
            ("whole", whole),
            ("octet by octet", octet_by_octet),
        ]
        places = range(1, transcript.client_octets)
        cuts += [(f"cut after octet {place}", cut_at(place)) for place in places]
        for how, cut in cuts:
            self.assertEqual((how, list(transcript.replay(cut))), (how, []))
        self.assertEqual(self.flushLoggedErrors(), [])


def _test_of(transcript: Transcript) -> Callable[[TranscriptTests], None]:
    def test(self: TranscriptTests) -> None:
        self._replay(transcript)

    test.__doc__ = transcript.about
    return test


for _name, _transcript in find_transcripts().items():
    setattr(TranscriptTests, f"test_{_name}", _test_of(_transcript))


class FormatTests(SynchronousTestCase):
    """The transcripts are read as they are meant."""

    def test_all_found(self) -> None:
        """There are dialogues, each says what it shows, and in each somebody talks."""
        found = find_transcripts()
        self.assertGreaterEqual(len(found), 15)
        for name, transcript in found.items():
            self.assertNotEqual(transcript.about, "", name)
            self.assertGreater(transcript.client_octets, 0, name)

    def test_difference_is_found(self) -> None:
        """A server that says something else is found out."""
        for text in (
            "S: 220 other.example",
            "S: 220 *\nC: NOOP\nS: 250 2.0.0 OK\nS: 250 2.0.0 OK",
            "S: 220 *\nC: NOOP\\c\nS: 250 2.0.0 OK",
            "S: 220 *\n! closed",
            "S: 220 *\n! taken 1",
            "S: ...\nS: 250 *",
            "S: 220 *\nS: 250 *\nS: ...",
        ):
            self.assertNotEqual(list(parse_transcript(text).replay(whole)), [], text)

    def test_escapes(self) -> None:
        """Octets that no text file holds can be written."""
        (_, turn) = parse_transcript("C: a\\xff\\r\\n\\0\\\\\\c").turns
        self.assertEqual(turn.sent, b"a\xff\r\n\0\\")

    def test_unknown_line(self) -> None:
        """A line of no known kind is a mistake in the test."""
        self.assertRaises(ValueError, parse_transcript, "X: 220")
        transcript = parse_transcript("! nonsense")
        self.assertRaises(ValueError, list, transcript.replay(whole))

    def test_cuts(self) -> None:
        """A cut is made once, where it is asked for, also in a later turn."""
        cut = cut_at(7)
        self.assertEqual(cut(b"12345"), (b"12345",))
        self.assertEqual(cut(b"67890"), (b"67", b"890"))
        self.assertEqual(cut(b"12345"), (b"12345",))
