"""The text of a new plugin, its page and its test."""

from typing import Final

PLUGIN: Final = '''\
"""Refuse mail for some recipients: say here, in a line, what {name} is for."""

import attrs

from harakatw.plugin import (
    CONT,
    Address,
    IConnection,
    IRcptHook,
    Params,
    Verdict,
    deny,
    doc,
    implementer,
)


@attrs.frozen(kw_only=True)
class {cls}Options:
    """What config/{name}.ini says."""

    refused: tuple[str, ...] = attrs.field(
        default=(), metadata=doc("Local parts of addresses that get no mail.")
    )


@implementer(IRcptHook)
@attrs.frozen
class {cls}:
    """Is asked once for each recipient."""

    options: {cls}Options

    def hook_rcpt(
        self, connection: IConnection, recipient: Address, params: Params
    ) -> Verdict:
        if recipient.user in self.options.refused:
            return deny("Nobody of that name reads mail here")
        return CONT  # let the next plugin rule
'''

PAGE: Final = """\
# {name}

Refuses mail for some recipients: say here what the plugin is for.

## Options

`config/{name}.ini`:

| key | default | meaning |
|---|---|---|
| `refused` | | local parts of addresses that get no mail |

## Example

```ini
refused = nobody, test
```
"""

TEST: Final = '''\
"""
Tests of {name}.

Run them in the instance directory: trial {test}
"""

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from harakatw.testing.plugins import plugin_module
from harakatw.testing.server import MemoryServer

PLUGIN = plugin_module(Path(__file__).absolute().parent.parent, "{name}")


class {cls}Tests(SynchronousTestCase):
    """What becomes of recipients."""

    def replies(self, recipient: str) -> str:
        """Refuse C{{nobody}}, name a recipient, and return what the client is told."""
        options = PLUGIN.{cls}Options(refused=("nobody",))
        client = MemoryServer([PLUGIN.{cls}(options)]).connect()
        client.say("EHLO client.example", "MAIL FROM:<sender@client.example>")
        return client.ask(f"RCPT TO:<{{recipient}}>")

    def test_refused(self) -> None:
        """Mail for a name on the list is refused, and the sender reads why."""
        self.assertIn("Nobody of that name", self.replies("nobody@example.org"))

    def test_others(self) -> None:
        """Mail for anybody else is left to the plugins that follow; here are none."""
        self.assertIn("cannot deliver", self.replies("somebody@example.org"))
'''
