"""
What can go wrong, by what to do next.

An error has two faces: C{reply} may go to a peer or into a bounce and names no path,
host or setting of ours; C{detail} goes to the log.
"""

from harakatw.reply import Reply


class HarakaError(Exception):
    """The root of every error that this package raises on purpose."""


class ProtocolError(HarakaError):
    """
    A client said something that RFC 5321 or its extensions do not allow.

    @ivar reply: what the client is told.
    @ivar detail: what the log gets besides.
    """

    def __init__(self, reply: Reply, **detail: object) -> None:
        super().__init__(reply.text)
        self.reply, self.detail = reply, detail


class DeliveryError(HarakaError):
    """
    One delivery attempt failed.

    @ivar reply: what a peer or a bounce may read.
    @ivar detail: what the log gets.
    """

    def __init__(self, reply: Reply, **detail: object) -> None:
        super().__init__(reply.text)
        self.reply, self.detail = reply, detail


class TemporaryFailure(DeliveryError):
    """Trying again may help: the message stays queued (RFC 5321 section 4.5.4.1)."""


class PermanentFailure(DeliveryError):
    """Trying again will not help: the message bounces."""


class StoreError(HarakaError):
    """
    The disk or the queue's database did not take what it was given; nothing was kept.
    """


class ConfigError(HarakaError):
    """
    A postmaster's file says something that it cannot mean.

    @ivar problems: one line for each, with file, line or key and what was expected.
    """

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class PluginError(HarakaError):
    """
    A plugin cannot be loaded or broke its contract.

    @ivar plugin: its name in C{config/plugins}.
    """

    def __init__(self, plugin: str, why: str) -> None:
        super().__init__(f"plugin {plugin}: {why}")
        self.plugin, self.why = plugin, why
