"""
Write the envelope into the header, for programs that see nothing else.

@see: Haraka row PB23
"""

from typing import Final, Literal

import attrs

from harakatw.plugin import (
    CONT,
    IConnection,
    IDataPostHook,
    Verdict,
    doc,
    implementer,
)
from harakatw.plugins._transaction import transaction_of

FROM_FIELD: Final = "X-Envelope-From"
TO_FIELD: Final = "X-Envelope-To"


@attrs.frozen(kw_only=True)
class RecordEnvelopeAddressesOptions:
    """C{record_envelope_addresses.ini}."""

    to: Literal["single", "all", "none"] = attrs.field(
        default="single",
        metadata=doc(
            "Which recipients to write: the only one, of messages with one; all,"
            " which shows each reader who got a blind copy; or none."
        ),
    )


@implementer(IDataPostHook)
@attrs.frozen
class RecordEnvelopeAddresses:
    """
    Adds C{X-Envelope-From} and C{X-Envelope-To}, and removes those that came along.

    It waits for the end of the message, when the recipients are those that were
    accepted.
    """

    options: RecordEnvelopeAddressesOptions

    def hook_data_post(self, connection: IConnection) -> Verdict:
        transaction = transaction_of(connection)
        transaction.remove_header(FROM_FIELD)
        transaction.remove_header(TO_FIELD)
        transaction.add_header(FROM_FIELD, transaction.mail_from.address or "<>")
        recipients = transaction.rcpt_to
        # RFC 5321 section 7.2: the recipients of a message must not be copied into it.
        if self.options.to == "all" or (
            self.options.to == "single" and len(recipients) == 1
        ):
            for recipient in recipients:
                transaction.add_header(TO_FIELD, recipient.address)
        return CONT
