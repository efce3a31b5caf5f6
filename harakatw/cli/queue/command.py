"""
C{haraka queue VERB} and Haraka's flags for the queue.

@see: Haraka rows CI10 to CI13 and IS01
"""

import base64
import json
import time
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, TextIO

import attrs

from harakatw.cli.failure import CommandError
from harakatw.cli.instance import OpenInstance
from harakatw.cli.queue.asking import Asker, Question, Take, connect_remote
from harakatw.cli.queue.local import open_local
from harakatw.cli.queue.text import HEADINGS, LINES, item_block, one_line
from harakatw.errors import HarakaError, StoreError
from harakatw.observe.writer import safe_text
from harakatw.outbound.control.requests import CHANGES, Verb
from harakatw.outbound.control.server import SOCKET
from harakatw.process.instance import Instance

_DONE: Final[Mapping[Verb, str]] = {
    Verb.HOLD: "held",
    Verb.RELEASE: "released",
    Verb.RETRY: "to be tried now",
    Verb.REROUTE: "rerouted",
    Verb.DROP: "dropped",
    Verb.BOUNCE: "bounced",
}


@attrs.frozen
class Terminal:
    """
    Who typed the command.

    @ivar out: for what was asked for.
    @ivar prompts: for questions to them.
    @ivar answers: where they type; only if that is a terminal are they asked.
    """

    out: TextIO
    prompts: TextIO
    answers: TextIO

    def agrees(self, question: str) -> bool:
        """
        Ask before a change.

        @raise CommandError: nobody is there to be asked.
        """
        if not self.answers.isatty():
            raise CommandError(f"{question} nobody is there to say so: use --yes")
        print(f"{question} [y/N] ", end="", file=self.prompts, flush=True)
        return self.answers.readline().strip().lower() in ("y", "yes")


# ---- haraka queue --------------------------------------------------------------------


def run_queue(flags: Namespace, instance: OpenInstance, terminal: Terminal) -> int:
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
    asker = open_queue(instance)
    try:
        if verb not in CHANGES:
            return _look(verb, asker, question, flags.json, terminal.out)
        if flags.dry_run:
            listing = question.with_mode("list")
            return _look(Verb.LIST, asker, listing, flags.json, terminal.out)
        is_sure = flags.yes or _names_items(flags)
        return _change(verb, asker, question, is_sure, flags.json, terminal)
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


def _names_items(flags: Namespace) -> bool:
    """Has somebody typed which items, one by one?"""
    words = flags.filters
    return bool(words) and all(w[:1].isdigit() or w.startswith("id=") for w in words)


def open_queue(instance: OpenInstance) -> Asker:
    """
    Find who knows about an instance's queue: the server, or if it does not run the
    files.

    @raise HarakaError: if nobody does.
    """
    directory = Instance(instance.directory).queue(instance.server.queue_dir)
    if not directory.is_dir():
        raise CommandError(f"{directory}: there is no queue, no server has made one")
    remote = connect_remote(directory)
    if remote is not None:
        return remote
    try:
        return open_local(instance, directory)
    except StoreError as error:
        raise _not_opened(error, directory) from error


def _not_opened(error: StoreError, directory: Path) -> HarakaError:
    if "in use" not in str(error):
        return error
    hint = f"nobody listens at {directory / SOCKET}: see the log of that process"
    return CommandError(f"{error}, but {hint}")


# ---- what is printed -----------------------------------------------------------------


def _look(
    verb: Verb, asker: Asker, question: Question, as_json: bool, out: TextIO
) -> int:
    if verb is Verb.CAT:
        asker.ask(question, lambda key, data: _write(base64.b64decode(data), out))
        return 0
    asker.ask(question, _json_printer(out) if as_json else _printer(verb, out))
    return 0


def _json_printer(out: TextIO) -> Take:
    return lambda key, value: print(json.dumps(value), file=out)


def _printer(verb: Verb, out: TextIO) -> Take:
    """Prints lines, after the headings that go with them."""
    now = time.time()
    heading = [HEADINGS[verb.value]] if verb.value in HEADINGS else []

    def take(key: str, value: Any) -> None:
        if heading and key != "stat":
            print(heading.pop(), file=out)
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


def _change(
    verb: Verb,
    asker: Asker,
    question: Question,
    is_sure: bool,
    as_json: bool,
    terminal: Terminal,
) -> int:
    if not is_sure:
        number = asker.ask(question.with_mode("count"), _ignore)["items"]
        if number and not terminal.agrees(f"{verb.value} {_count(number)}: sure?"):
            print("nothing was done", file=terminal.prompts)
            return 1
    done = asker.ask(question, _ignore)
    print(json.dumps(done) if as_json else _told(verb, done), file=terminal.out)
    return 0


def _ignore(key: str, value: object) -> None:
    """What comes before the end is of no interest."""


def _told(verb: Verb, done: Mapping[str, Any]) -> str:
    parts = [f"{_count(done['changed'])} {_DONE[verb]}"]
    if done["in_delivery"]:
        busy = _count(done["in_delivery"])
        parts.append(f"{busy} left alone: being delivered at this moment")
    if done["kept"]:
        kept = _count(done["kept"])
        parts.append(f"{kept} kept as dead: there is no sender to be told")
    return "\n".join(parts)


def _count(number: int) -> str:
    return "1 item" if number == 1 else f"{number} items"


# ---- Haraka's flags ------------------------------------------------------------------


def queue_list(instance: OpenInstance, out: TextIO) -> int:
    """C{--qlist}: one line for each item (row CI10)."""

    def take(key: str, item: Mapping[str, Any]) -> None:
        print(
            f"Q: {item['id']} rcpt:{len(item['recipients'])}"
            f" from:<{one_line(item['sender'])}> domain:{one_line(item['domain'])}",
            file=out,
        )

    return _ask_once(instance, {"verb": "list"}, take)


def queue_stat(instance: OpenInstance, out: TextIO) -> int:
    """C{--qstat}: where the queue is, and how many items there are (row CI11)."""
    directory = Instance(instance.directory).queue(instance.server.queue_dir)
    print(f"queue: {directory}", file=out)

    def take(key: str, value: Mapping[str, Any]) -> None:
        if key == "stat":
            print(LINES[key](value, time.time()), file=out)

    return _ask_once(instance, {"verb": "stat"}, take)


def queue_unstick(instance: OpenInstance, domain: str, out: TextIO) -> int:
    """
    C{--qunstick}: try all items now (row CI12).

    @param domain: only those for one domain; C{""} for any.
    """
    meant = {"filter": [f"domain={domain}"]} if domain else {"all": True}
    asker = open_queue(instance)
    try:
        question = Question({"verb": "retry", **meant})
        return _change(Verb.RETRY, asker, question, True, False, _silent(out))
    finally:
        asker.close()


def queue_empty(instance: OpenInstance, is_sure: bool, terminal: Terminal) -> int:
    """C{--qempty}: drop everything (row CI13)."""
    asker = open_queue(instance)
    try:
        question = Question({"verb": "drop", "all": True})
        return _change(Verb.DROP, asker, question, is_sure, False, terminal)
    finally:
        asker.close()


def _silent(out: TextIO) -> Terminal:
    return Terminal(out, out, out)


def _ask_once(instance: OpenInstance, fields: Mapping[str, object], take: Take) -> int:
    asker = open_queue(instance)
    try:
        asker.ask(Question(fields), take)
    finally:
        asker.close()
    return 0
