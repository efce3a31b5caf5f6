"""
Why no message could be given to a host, and what to do next.

What happens to single messages and recipients is no error but a result, see
L{harakatw.outbound.client.result}.
"""

from harakatw.errors import PermanentFailure, TemporaryFailure
from harakatw.reply import Reply


class HostFailure(TemporaryFailure):
    """
    The host does not take mail now.

    @ivar other_host: may another host of the domain help?
    @ivar retry_in_clear: TLS was only to be used if it works, and it does not: the same
        host may be tried once more without it.
    """

    def __init__(
        self,
        reply: Reply,
        *,
        other_host: bool = True,
        retry_in_clear: bool = False,
        **detail: object,
    ) -> None:
        super().__init__(reply, **detail)
        self.other_host = other_host
        self.retry_in_clear = retry_in_clear


class HostRefusal(PermanentFailure):
    """
    The host takes no mail at all.

    @ivar other_host: may another host of the domain help? If there is none left, this
        is final.
    """

    def __init__(
        self, reply: Reply, *, other_host: bool = True, **detail: object
    ) -> None:
        super().__init__(reply, **detail)
        self.other_host = other_host
