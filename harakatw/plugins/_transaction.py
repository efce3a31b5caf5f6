"""What hooks of an open transaction reach through their connection."""

from typing import Any, cast

from harakatw.interfaces.session import IConnection, ITransaction
from harakatw.message.header import Header
from harakatw.message.store import Message


def transaction_of(connection: IConnection) -> ITransaction:
    """The open transaction, on hooks that run only while there is one."""
    transaction = connection.transaction
    assert transaction is not None, "this hook runs within a transaction"
    return transaction


def message_of(connection: IConnection) -> Message:
    """The octets of the open transaction's message."""
    # Any: interfaces stand below messages, so ITransaction cannot name the type.
    message: Message = cast(Any, transaction_of(connection)).message
    return message


def header_of(connection: IConnection) -> Header:
    """The header of the open transaction's message."""
    return message_of(connection).header
