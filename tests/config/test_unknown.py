"""Keys and sections that nothing reads."""

from twisted.trial.unittest import SynchronousTestCase

from harakatw.config.ini import parse
from harakatw.config.schema import KnownFile
from harakatw.config.unknown import unknown_names


class UnknownTests(SynchronousTestCase):
    """A postmaster learns what was written in vain."""

    def _wrong(self, text: str, known: KnownFile) -> list[str]:
        return [str(problem) for problem in unknown_names(parse(text, "f"), known)]

    def test_open_section(self) -> None:
        """In a section of made-up keys nothing is strange."""
        known = KnownFile(open_sections={"no_tls_hosts"})
        self.assertEqual(self._wrong("[no_tls_hosts]\n192.0.2.1\n", known), [])

    def test_empty_section(self) -> None:
        """A strange header with nothing below does no harm."""
        self.assertEqual(self._wrong("[x]\n", KnownFile()), [])

    def test_near_section(self) -> None:
        """A slip in a header is shown once, not for each key."""
        known = KnownFile(keys={"redis": {"host"}})
        self.assertEqual(
            self._wrong("[rdeis]\nhost=a\nport=1\n", known),
            ["f:1: [rdeis]: unknown section, did you mean redis?"],
        )

    def test_key_of_another_section(self) -> None:
        """A key that stands in the wrong section is sent to the right one."""
        known = KnownFile(keys={"max": {"bytes"}, "main": {"listen"}})
        self.assertEqual(
            self._wrong("bytes=1\n", known),
            ["f:1: [main] bytes: unknown key here, it belongs into [max]"],
        )

    def test_near_key_of_another_section(self) -> None:
        """So is one that is nearly right."""
        known = KnownFile(keys={"max": {"recipients"}})
        self.assertEqual(
            self._wrong("recipiens=1\n", known),
            ["f:1: [main] recipiens: unknown key, did you mean recipients?"],
        )

    def test_without_effect(self) -> None:
        """What is known and does nothing is a notice, unless it says nothing."""
        known = KnownFile(without_effect={"main.a": "no", "b.*": "later", "*.c": "no"})
        text = "a\n[b]\nx=\ny=1\nz[]=\n"
        self.assertEqual(
            self._wrong(text, known),
            ["f:1: [main] a: has no effect: no", "f:4: [b] y: has no effect: later"],
        )
        problems = unknown_names(parse(text, "f"), known)
        self.assertEqual({problem.severity for problem in problems}, {"notice"})
