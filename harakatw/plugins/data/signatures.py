"""
Refuse messages whose text holds one of a list of strings.

@see: Haraka row PB07
"""

import attrs

from harakatw.plugin import (
    CONT,
    IConnection,
    IDataHook,
    IDataPostHook,
    Verdict,
    deny,
    implementer,
    list_file,
)
from harakatw.plugins._transaction import transaction_of


@attrs.frozen(kw_only=True)
class SignaturesOptions:
    """C{config/data.signatures}."""

    signatures: tuple[str, ...] = attrs.field(
        default=(),
        metadata=list_file(
            "data.signatures", "Strings that no message may hold, as they stand."
        ),
    )


@implementer(IDataHook, IDataPostHook)
@attrs.frozen
class Signatures:
    """Looks for the strings in the text of every part, decoded."""

    options: SignaturesOptions
    name: str

    def hook_data(self, connection: IConnection) -> Verdict:
        if self.options.signatures:
            transaction_of(connection).parse_body = True
        return CONT

    def hook_data_post(self, connection: IConnection) -> Verdict:
        transaction = transaction_of(connection)
        if transaction.body is None:
            return CONT
        texts = [body.bodytext for body in transaction.body.walk() if body.bodytext]
        for signature in self.options.signatures:
            if any(signature in text for text in texts):
                transaction.results.add(self, fail=signature)
                why = "Mail matches a known spam signature"
                return deny(why, code=550, enhanced="5.7.1")
        return CONT
