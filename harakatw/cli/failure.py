"""What the command cannot do."""

from harakatw.errors import HarakaError


class CommandError(HarakaError):
    """
    What was asked for cannot be done; the text says why, and what would help.

    It is shown to whoever typed the command, without a traceback; the status is 1.
    """
