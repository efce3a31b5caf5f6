"""
Writes the manual's page of hooks, from their interfaces and the table of verdicts.

A Sphinx extension; the page is C{hooks.md} among the manual's sources.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from zope.interface.interface import InterfaceClass

from docs._ext.epytext import to_markdown
from docs._ext.pages import write_page
from harakatw.hook_rules import HOOK_RULES
from harakatw.hooks.declared import HOOK_INTERFACES
from harakatw.reply import Reply
from harakatw.verdict import HookRule, Kind, Then, Verdict, decide

if TYPE_CHECKING:
    from sphinx.application import Sphinx

INTRODUCTION = """\
# Hooks

A plugin takes part in a hook with a method `hook_<name>`, and says so with
`@implementer` and the hook's interface.
It returns a verdict; `None` is `CONT`: ask the next plugin.
It may also return a Deferred, or be a coroutine, that ends in one of these.
All of this is imported from `harakatw.plugin`.

Where a verdict brings its own text or code, that replaces the reply shown here.
Hooks are listed in the order in which a server meets them.
"""

_JUDGING = (
    Kind.CONT,
    Kind.OK,
    Kind.DENY,
    Kind.DENYSOFT,
    Kind.DENYDISCONNECT,
    Kind.DENYSOFTDISCONNECT,
    Kind.DISCONNECT,
)


def render_hooks() -> str:
    """The page, in MyST Markdown."""
    sections = [_section(rule) for rule in HOOK_RULES.values()]
    return "\n".join([INTRODUCTION, *sections])


def _section(rule: HookRule) -> str:
    interface = HOOK_INTERFACES[rule.name]
    method = interface[f"hook_{rule.name}"]
    parts = [
        f"## {rule.name}",
        to_markdown(interface.__doc__ or ""),
        f"- Interface: `{interface.__name__}`\n- When: {rule.when}",
        f"```python\ndef {method.__name__}(self, {_arguments(interface, rule)})\n```",
        to_markdown(method.__doc__ or ""),
        "\n".join(_verdicts(rule)),
        "\n".join(_notes(rule)),
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def _arguments(interface: InterfaceClass, rule: HookRule) -> str:
    signature: str = interface[f"hook_{rule.name}"].getSignatureString()
    return signature.strip("()")


def _verdicts(rule: HookRule) -> Iterator[str]:
    """A table of the replies, where the hook has any."""
    rows = [row for kind in _JUDGING if (row := _row(rule, kind))]
    if rows:
        yield from ("| verdict | reply | then |", "|---|---|---|", *rows)


def _row(rule: HookRule, kind: Kind) -> str:
    decision = decide(rule, Verdict(kind))
    if decision.reply is None or (kind is Kind.DISCONNECT and not rule.disconnects):
        return ""
    then = "" if decision.then is Then.STAY else decision.then.value
    return f"| `{kind.name}` | {_spelled(decision.reply)} | {then} |"


def _spelled(reply: Reply) -> str:
    text = " ".join(filter(None, (str(reply.code), reply.enhanced, reply.text)))
    return text.replace("|", "\\|")


def _notes(rule: HookRule) -> Iterator[str]:
    for verdict, meaning in rule.meanings.items():
        yield f"- {verdict}: {meaning}"
    if rule.runs_all:
        yield "- All plugins run; no verdict ends the hook."
    if rule.required:
        yield "- Runs to its end though the client has left."
    yield f"- A plugin that raises counts as `{rule.fault.kind.name}`."


def setup(app: "Sphinx") -> dict[str, bool]:
    """Have the page written before Sphinx looks for sources."""
    page = Path(app.srcdir) / "hooks.md"
    app.connect("builder-inited", lambda _: write_page(page, render_hooks()))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
