"""
C{haraka queue VERB}.

@see: Haraka row IS01; survey section 4 row 7
"""

import base64
import json
import time
from argparse import Namespace
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, TextIO

from harakatw.cli.failure import CommandError
from harakatw.cli.instance import OpenInstance
from harakatw.cli.queue.asking import Asker, Question, Take
from harakatw.cli.queue.opening import open_queue
from harakatw.cli.queue.text import HEADINGS, LINES, item_block, paused_lines
from harakatw.observe.writer import safe_text
from harakatw.outbound.control.requests import CHANGES, PAUSES, Verb, parse_request

Confirm = Callable[[str], bool]
"""Asks whoever typed the command if they mean it."""

_DONE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "hold": "held",
        "release": "released",
        "retry": "to be tried now",
        "reroute": "rerouted",
        "drop": "dropped",
        "bounce": "bounced",
    }
)


def run_queue(
    flags: Namespace, instance: OpenInstance, confirm: Confirm, out: TextIO
) -> int:
    """
    Do what stands after C{haraka queue}.

    @param flags: from L{harakatw.cli.queue.arguments.queue_parser}.
    @return: 0, or 1 if somebody has thought better of it.
    @raise HarakaError: it makes no sense, or cannot be done.
    """
    verb = Verb(flags.verb)
    wrong = _misplaced(verb, flags)
    if wrong:
        raise CommandError(wrong)
    question = _question(verb, flags)
    parse_request(question.line)  # a slip is told before anything is opened
    asker = open_queue(instance)
    try:
        if verb in CHANGES and not flags.dry_run:
            asks = None if flags.yes or _names_items(flags.filters) else confirm
            return change_queue(asker, question, asks, out, as_json=flags.json)
        if verb in PAUSES:
            return change_pause(asker, question, out, as_json=flags.json)
        if verb in CHANGES:
            verb, question = Verb.LIST, question.with_mode("list")
        asker.ask(question, _printer(verb, flags.json, out))
        return 0
    finally:
        asker.close()


def _misplaced(verb: Verb, flags: Namespace) -> str:
    """What would be ignored; C{""} if nothing is."""
    if (flags.dry_run or flags.yes) and verb not in CHANGES:
        return f"{verb.value} changes nothing: leave --dry-run and --yes out"
    if flags.json and verb is Verb.CAT:
        return "cat prints a message as it is: leave --json out"
    return ""


def _question(verb: Verb, flags: Namespace) -> Question:
    fields: dict[str, object] = {"verb": verb.value, "filter": flags.filters}
    if flags.all:
        fields["all"] = True
    for name in ("to", "reason"):
        if getattr(flags, name) is not None:
            fields[name] = getattr(flags, name)
    return Question(fields)


def _names_items(words: list[str]) -> bool:
    """Has somebody typed which items, one by one?"""
    return any(word[:1].isdigit() or word.startswith("id=") for word in words)


def change_queue(
    asker: Asker,
    question: Question,
    confirm: Confirm | None,
    out: TextIO,
    *,
    as_json: bool = False,
) -> int:
    """
    Change a queue, and tell what was done.

    @param confirm: asks first, if there is anything to be done; L{None} to do it at
        once.
    @return: 1 if they do not mean it, else 0.
    """
    verb = str(question.fields["verb"])
    if confirm is not None:
        number = asker.ask(question.with_mode("count"), _ignore)["items"]
        if number and not confirm(f"{verb} {_count(number)}: sure?"):
            return 1
    done = asker.ask(question, _ignore)
    print(json.dumps(done) if as_json else _told(verb, done), file=out)
    return 0


def change_pause(
    asker: Asker, question: Question, out: TextIO, *, as_json: bool = False
) -> int:
    """Pause or resume, and tell what is paused now."""
    done = asker.ask(question, _ignore)
    if as_json:
        print(json.dumps(done), file=out)
        return 0
    if not done["changed"]:
        is_pause = question.fields["verb"] == Verb.PAUSE.value
        print("it was paused already" if is_pause else "it was not paused", file=out)
    print("\n".join(paused_lines(done["paused"])) or "nothing is paused", file=out)
    return 0


def _ignore(key: str, value: object) -> None:
    """What comes before the end is of no interest."""


def _told(verb: str, done: Mapping[str, Any]) -> str:
    lines = [f"{_count(done['changed'])} {_DONE[verb]}"]
    if done["in_delivery"]:
        busy = _count(done["in_delivery"])
        lines.append(f"{busy} left alone: being delivered at this moment")
    if done["kept"]:
        kept = _count(done["kept"])
        lines.append(f"{kept} kept as dead: there is no sender to be told")
    return "\n".join(lines)


def _count(number: int) -> str:
    return "1 item" if number == 1 else f"{number} items"


# ---- what is printed -----------------------------------------------------------------


def _printer(verb: Verb, as_json: bool, out: TextIO) -> Take:
    if as_json:
        return lambda key, value: print(json.dumps(value), file=out)
    if verb is Verb.CAT:
        return lambda key, data: _write(base64.b64decode(data), out)
    return _line_printer(verb, out)


def _line_printer(verb: Verb, out: TextIO) -> Take:
    """Prints a line for each part of an answer, after the headings."""
    now = time.time()
    headings = iter(filter(None, [HEADINGS.get(verb.value)]))

    def take(key: str, value: Any) -> None:
        if key != "stat":
            for heading in headings:
                print(heading, file=out)
        show = item_block if verb is Verb.SHOW else LINES[key]
        print(show(value, now), file=out)

    return take


def _write(octets: bytes, out: TextIO) -> None:
    """Print a message: as it is, but to a terminal without what acts on it."""
    if hasattr(out, "buffer") and not out.isatty():
        out.flush()
        out.buffer.write(octets)
    else:
        text = octets.decode("utf-8", "backslashreplace").replace("\r\n", "\n")
        out.write(safe_text(text))
