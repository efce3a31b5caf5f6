"""
Haraka's flags for the queue.

@see: Haraka rows CI10 to CI13
"""

from collections.abc import Mapping
from typing import Any, TextIO

from harakatw.cli.instance import OpenInstance
from harakatw.cli.queue.asking import Question, Take
from harakatw.cli.queue.command import Confirm, change_queue
from harakatw.cli.queue.opening import open_queue, queue_directory
from harakatw.cli.queue.text import one_line, totals_lines
from harakatw.outbound.control.requests import Verb


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
    print(f"queue: {queue_directory(instance)}", file=out)

    def take(key: str, value: Mapping[str, Any]) -> None:
        if key == "stat":
            print(totals_lines(value), file=out)

    return _ask_once(instance, {"verb": "stat"}, take)


def queue_unstick(instance: OpenInstance, domain: str, out: TextIO) -> int:
    """
    C{--qunstick}: try all items now (row CI12).

    @param domain: only those for one domain; C{""} for any.
    """
    meant = {"filter": [f"domain={domain}"]} if domain else {"all": True}
    asker = open_queue(instance)
    try:
        question = Question({"verb": Verb.RETRY.value, **meant})
        return change_queue(asker, question, None, out)
    finally:
        asker.close()


def queue_empty(instance: OpenInstance, confirm: Confirm | None, out: TextIO) -> int:
    """
    C{--qempty}: drop everything (row CI13).

    @param confirm: asks first; L{None} to do it at once.
    """
    asker = open_queue(instance)
    try:
        question = Question({"verb": Verb.DROP.value, "all": True})
        return change_queue(asker, question, confirm, out)
    finally:
        asker.close()


def _ask_once(instance: OpenInstance, fields: Mapping[str, object], take: Take) -> int:
    asker = open_queue(instance)
    try:
        asker.ask(Question(fields), take)
    finally:
        asker.close()
    return 0
