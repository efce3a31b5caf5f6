"""
Make a message fit for a host that takes 7bit only.

@see: RFC 3030 section 3, RFC 6152 section 3
"""

import attrs

from harakatw.errors import StoreError
from harakatw.message.seven_bit.convert import to_seven_bit
from harakatw.message.writer import crlf_chunks
from harakatw.outbound.client.body import InThread
from harakatw.outbound.client.envelope import Envelope


async def seven_bit(envelope: Envelope, in_thread: InThread | None) -> Envelope:
    """
    The same message as 7bit. It is in memory as a whole for as long as this takes.

    @param in_thread: reads and converts it in a thread; L{None} to do so here.
    @raise UnconvertibleError: if it cannot be done.
    @raise StoreError: if the message cannot be read.
    """
    if in_thread is None:
        body = _converted(envelope)
    else:
        body = await in_thread(_converted, envelope)
    return attrs.evolve(
        envelope, body=body, size=len(body), is_8bit=False, is_binary=False
    )


def _converted(envelope: Envelope) -> bytes:
    body, size = envelope.body, envelope.size
    octets = body if isinstance(body, bytes) else b"".join(body)
    if len(octets) < size:  # a file that was cut off: see body_pieces()
        raise StoreError(f"the message has {len(octets)} octets, not {size}")
    if not envelope.is_binary:
        octets = b"".join(crlf_chunks((octets,)))
    return to_seven_bit(octets)
