"""
End sessions of clients that speak something other than SMTP.

@see: Haraka row PN18, of which this was a plugin of its own
"""

import attrs
from twisted.logger import Logger

from harakatw.plugin import (
    IConnection,
    IUnrecognizedCommandHook,
    Verdict,
    deny,
    ge,
    on_hook,
    value_file,
)

TOO_MANY = deny("Too many unrecognized commands", disconnect=True)

_NOTE = "unrecognized_commands"


@attrs.frozen(kw_only=True)
class MaxUnrecognizedCommandsOptions:
    """How much patience there is."""

    max: int = attrs.field(
        default=10,
        validator=ge(0),
        metadata=value_file(
            "max_unrecognized_commands",
            "How many commands that nobody knows a client may send: at this one it is "
            "disconnected. 0 is no limit.",
            unit="commands",
        ),
    )


@attrs.frozen
class MaxUnrecognizedCommands:
    """Counts the commands of a session that no plugin answers."""

    options: MaxUnrecognizedCommandsOptions
    name: str
    _log = Logger()

    @on_hook(IUnrecognizedCommandHook, 100)  # after all that may know the command
    def count_command(
        self, connection: IConnection, verb: str, argument: str
    ) -> Verdict | None:
        """Count this one; end the session if there were too many."""
        if not self.options.max:
            return None
        count = connection.notes.get(_NOTE, 0) + 1
        connection.notes.set(_NOTE, count)
        connection.results.add(self, fail=f"unrecognized command {verb}")
        if count < self.options.max:
            return None
        self._log.info(
            "{uuid} disconnected: {count} unrecognized commands, the last {verb}",
            uuid=connection.uuid,
            count=count,
            verb=verb,
        )
        return TOO_MANY
