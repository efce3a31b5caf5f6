"""Reports to make, and reports as mail programs read them."""

import email
import email.policy
from collections.abc import Iterable, Iterator
from email.message import EmailMessage, Message
from typing import Any, Final, cast

from harakatw.interfaces.queue import QueuedMessage, QueuedRecipient
from harakatw.outbound.dsn.options import BounceOptions
from harakatw.outbound.dsn.recipients import Action, Kind, RemoteMTA, ReportedRecipient
from harakatw.outbound.dsn.report import Report, Reporter
from harakatw.reply import Reply, reply

QUEUED_AT = 1_000_000_000.0
"""Sunday, 9 September 2001, 01:46:40."""

NOW = QUEUED_AT + 60

SENDER = "alice@client.example"
BOB = "bob@far.example"
REMOTE = RemoteMTA("mx.far.example", "192.0.2.7", 25)
ORIGINAL = (
    b"From: alice@client.example\r\n"
    b"Subject: hello\r\n"
    b"Message-ID: <1.2@client.example>\r\n"
    b"\r\n"
    b"The body.\r\n"
)

HARAKAS: Final = (
    "Received: (Haraka {pid} ran for bounce); {date}",
    "Date: {date}",
    "From: MAILER-DAEMON@{me}",
    "To: {from}",
    "Subject: failure notice",
    "Message-Id: {msgid}",
    "",
    "It did not work:",
    "",
    "{reason}",
)
"""A template as an instance of Haraka has it."""

IMAGE: Final = (
    'Content-Type: image/png; name="a.png"',
    "Content-Transfer-Encoding: base64",
    "Content-ID: <a.png>",
    "",
    "iVBORw0KGgo=",
)
"""A picture as an instance of Haraka has it."""


def queued_message(**fields: Any) -> QueuedMessage:
    """A message of Alice's."""
    given: dict[str, Any] = {
        "uuid": "U.1",
        "sender": SENDER,
        "size": len(ORIGINAL),
        "queued_at": QUEUED_AT,
    }
    return QueuedMessage(**(given | fields))


def told(
    address: str = BOB,
    action: Action = Action.FAILED,
    answer: Reply | None = None,
    *,
    notify: str = "",
    orcpt: str = "",
    remote: RemoteMTA | None = REMOTE,
    last_attempt: float | None = NOW - 5,
    retry_until: float | None = None,
) -> ReportedRecipient:
    """What is to be said of a recipient: by default that the peer refused it."""
    codes = {Kind.FAILURE: 550, Kind.DELAY: 450, Kind.SUCCESS: 250}
    return ReportedRecipient(
        recipient=QueuedRecipient(address, notify=notify, orcpt=orcpt),
        action=action,
        reply=answer or reply(codes[action.kind], "", "as it is"),
        remote=remote,
        last_attempt=last_attempt,
        retry_until=retry_until,
    )


def make_reporter(**options: Any) -> Reporter:
    """The reporter of a server, with ids that tests can foresee."""
    return Reporter(
        me="mx.here.example",
        options=BounceOptions(**options),
        new_id=lambda: "0123456789abcdef",
        pid=4711,
    )


def make_report(
    *recipients: ReportedRecipient,
    kind: Kind = Kind.FAILURE,
    message: QueuedMessage | None = None,
    original: Iterable[bytes] = (ORIGINAL,),
    reporter: Reporter | None = None,
) -> Report:
    """A report that there must be."""
    report = (reporter or make_reporter()).report(
        kind, message or queued_message(), recipients or (told(),), original, NOW
    )
    assert report is not None
    check_lines(report)
    return report


def check_lines(report: Report) -> None:
    """Can these octets be sent as they are? (RFC 5321 section 2.3.8, 4.5.3.1.6)"""
    lines = report.octets.split(b"\r\n")
    assert lines.pop() == b"", "the last line has an end"
    for line in lines:
        assert b"\r" not in line and b"\n" not in line, line
        assert len(line) <= 998, line
    assert report.is_8bit or report.octets.isascii(), "8 bit, and nobody said so"


def parsed(report: Report) -> EmailMessage:
    """The report as a mail program sees it."""
    return email.message_from_bytes(report.octets, policy=email.policy.default)


def parts_of(report: Report) -> list[EmailMessage]:
    """The parts of the report: words, status, and what comes back."""
    whole = parsed(report)
    assert whole.get_content_type() == "multipart/report", whole.get_content_type()
    assert whole.get_param("report-type") == "delivery-status"
    assert not list(_defects(whole)), list(_defects(whole))
    parts: list[EmailMessage] = list(whole.iter_parts())  # type: ignore[arg-type]
    assert len(parts) in (2, 3), parts
    assert parts[1].get_content_type() == "message/delivery-status"
    return parts


def _defects(entity: Message) -> Iterator[object]:
    for part in entity.walk():
        yield from part.defects


def words_of(report: Report) -> str:
    """What the sender reads, with line feeds."""
    part = parts_of(report)[0]
    if part.is_multipart():
        part = cast(EmailMessage, next(part.iter_parts()))
    text: str = part.get_content()
    return text.replace("\r\n", "\n")


def blocks_of(report: Report) -> list[dict[str, str]]:
    """The fields for programs: of the message first, then of each recipient."""
    blocks: Any = parts_of(report)[1].get_payload()
    return [
        {name: " ".join(str(value).split()) for name, value in block.items()}
        for block in blocks
        if block.items()
    ]
