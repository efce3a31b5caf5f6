"""Our reports beside those that other mail servers sent."""

import email
import os
from collections.abc import Sequence
from email.message import Message
from pathlib import Path

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from tests.outbound.dsn.reports import blocks_of, make_report, queued_message, told

TEST_DATA = Path(
    os.environ.get("HARAKATW_TESTDATA")
    or Path(__file__).resolve().parents[4] / "shared" / "testdata"
)

COMMON = 0.6
"""What share of the real reports has a field that we call common."""


class RealBouncesTests(SynchronousTestCase):
    """Reports that the flufl.bounce collection has."""

    def test_fields(self) -> None:
        """What most servers tell of a recipient and of a message, we tell too."""
        ours = blocks_of(make_report(told(), message=queued_message(envid="Q1")))
        theirs = [found for each in self._reports() if (found := _blocks(each))]
        self.assertGreater(len(theirs), 5)
        for position, our_fields in enumerate(ours):
            fields = [_names(blocks[position]) for blocks in theirs]
            common = {
                name
                for name in set().union(*fields)
                if sum(name in each for each in fields) >= COMMON * len(fields)
            }
            self.assertNotEqual(common, set())
            self.assertEqual(common - {name.lower() for name in our_fields}, set())

    def _reports(self) -> Sequence[Message]:
        folder = TEST_DATA / "dsn-flufl-bounce" / "data"
        if not folder.is_dir():
            raise SkipTest(f"no {folder}")
        files = sorted(folder.glob("*.txt"))
        return [email.message_from_bytes(path.read_bytes()) for path in files]


def _blocks(report: Message) -> list[Message]:
    """The block of the message and that of the first recipient, if it has both."""
    for part in report.walk():
        blocks = part.get_payload()
        if part.get_content_type() == "message/delivery-status":
            found = [each for each in blocks if isinstance(each, Message)]
            found = [each for each in found if each.items()]
            return found[:2] if len(found) > 1 else []
    return []


def _names(block: Message) -> set[str]:
    return {name.lower() for name, _ in block.items()}
