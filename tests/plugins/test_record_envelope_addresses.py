"""C{record_envelope_addresses}: the envelope in the header (row PB23)."""

from typing import Literal

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from harakatw.config.options import load_options
from harakatw.plugin import IDataPostHook
from harakatw.plugins._host_list import HostListOptions
from harakatw.plugins.rcpt_to.in_host_list import InHostList
from harakatw.plugins.record_envelope_addresses import (
    RecordEnvelopeAddresses,
    RecordEnvelopeAddressesOptions,
)
from harakatw.testing.server import MemoryServer
from tests.config.folders import ConfigTestCase
from tests.plugins.keeper import Keeper, greet, send

NAME = "record_envelope_addresses"


def recorded(
    *recipients: str,
    to: Literal["single", "all", "none"] = "single",
    sender: str = "a@far.example",
    header: str = "Subject: x",
) -> list[str]:
    """The envelope fields of a message to users of C{here.example}."""
    keeper = Keeper()
    ours = HostListOptions(host_list=("here.example",))
    options = RecordEnvelopeAddressesOptions(to=to)
    server = MemoryServer(
        [
            RecordEnvelopeAddresses(options=options),
            InHostList(options=ours, name="rcpt_to.in_host_list"),
            keeper,
        ]
    )
    client = server.connect()
    greet(client, sender)
    for recipient in recipients:
        client.ask(f"RCPT TO:<{recipient}>")
    send(client, header, "", "body")
    lines = keeper.messages[0].octets.decode().split("\r\n\r\n")[0].split("\r\n")
    return [line for line in lines if line.lower().startswith("x-envelope-")]


class RecordTests(SynchronousTestCase):
    """What is written."""

    def test_single(self) -> None:
        """A message with one recipient gets both fields."""
        self.assertEqual(
            recorded("u@here.example"),
            ["X-Envelope-From: a@far.example", "X-Envelope-To: u@here.example"],
        )

    def test_blind_copies(self) -> None:
        """Of several recipients none is shown to the others (RFC 5321 section 7.2)."""
        self.assertEqual(
            recorded("u@here.example", "secret@here.example"),
            ["X-Envelope-From: a@far.example"],
        )

    def test_all(self) -> None:
        """With to=all there is a field for each, as in Haraka."""
        self.assertEqual(
            recorded("u@here.example", "v@here.example", to="all")[1:],
            ["X-Envelope-To: u@here.example", "X-Envelope-To: v@here.example"],
        )

    def test_none(self) -> None:
        """With to=none there is no recipient, even if there is but one."""
        self.assertEqual(
            recorded("u@here.example", to="none"), ["X-Envelope-From: a@far.example"]
        )

    def test_refused_recipient(self) -> None:
        """A recipient that was refused did not get the message and is not written."""
        choices: tuple[Literal["all"], Literal["single"]] = ("all", "single")
        for to in choices:
            fields = recorded("x@far.example", "u@here.example", to=to)
            self.assertEqual(fields[1:], ["X-Envelope-To: u@here.example"])

    def test_null_sender(self) -> None:
        """A bounce has C{<>} for a sender."""
        self.assertEqual(
            recorded("u@here.example", sender="")[0], "X-Envelope-From: <>"
        )

    def test_forged(self) -> None:
        """Fields that came with the message are removed."""
        forged = "x-envelope-to: boss@here.example\r\nX-Envelope-From: me@here.example"
        self.assertEqual(
            recorded("u@here.example", header=forged),
            ["X-Envelope-From: a@far.example", "X-Envelope-To: u@here.example"],
        )


class OptionTests(ConfigTestCase):
    """The file."""

    def test_file(self) -> None:
        """What may be chosen, and what is said of anything else."""
        options = load_options(RecordEnvelopeAddressesOptions, self.files(), NAME)
        self.assertEqual(options.options.to, "single")
        self.write(f"{NAME}.ini", "to=all\n")
        options = load_options(RecordEnvelopeAddressesOptions, self.files(), NAME)
        self.assertEqual((options.options.to, options.problems), ("all", ()))
        self.write(f"{NAME}.ini", "to=some\n")
        options = load_options(RecordEnvelopeAddressesOptions, self.files(), NAME)
        self.assertIn("not one of single, all, none", options.problems[0].message)

    def test_interfaces(self) -> None:
        """The plugin has the method that the server will call."""
        tested = RecordEnvelopeAddresses(options=RecordEnvelopeAddressesOptions())
        verifyObject(IDataPostHook, tested)
