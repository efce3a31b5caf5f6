"""What follows C{haraka queue}."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final

from harakatw.outbound.control.grammar import KEYS
from harakatw.outbound.control.requests import USUAL_WAY, Verb

VERBS: Final = MappingProxyType(
    {
        Verb.LIST: "one line for each item",
        Verb.SHOW: "all there is to know about items",
        Verb.CAT: "a message as it is",
        Verb.HOLD: "do not try items until they are released",
        Verb.RELEASE: "try items now that were held, or given up as dead",
        Verb.RETRY: "try items now that wait for their next attempt",
        Verb.REROUTE: "send items elsewhere: --to HOP",
        Verb.DROP: "remove items for good; nobody is told",
        Verb.BOUNCE: "give items up, and tell their senders",
        Verb.PAUSE: "try nothing for a site or of a sender, also after a restart",
        Verb.RESUME: "end a pause",
        Verb.STAT: "how much there is, and what goes on at which site",
        Verb.QSHAPE: "how old it is, by domain",
    }
)
"""What each verb is for."""

_EXAMPLES: Final = """\
filters:
  17  id=17,18  uuid=...     items by number, or those of a message
  sender=*@example.org       sender=<> is the null path
  recipient=anna@*           domain=example.net    site=*.example.net
  state=ready                or leased, held, dead
  older=2d                   younger=1h30m: since the message was queued
  error=*timeout*            what the last attempt was told
All that are given must hold. A star stands for anything; case does not matter.
pause and resume take site=NAME as stat shows it, sender=ADDRESS, or --all.
"""


class _QueueParser(argparse.ArgumentParser):
    """Lets filters stand before, between and behind options."""

    def parse_args(  # type: ignore[override]  # argparse has overloads
        self, args: Sequence[str] | None = None, namespace: None = None
    ) -> argparse.Namespace:
        """Parse what follows the word."""
        return self.parse_intermixed_args(args, namespace)


def queue_parser() -> argparse.ArgumentParser:
    """Make the parser."""
    verbs = "\n".join(f"  {verb.value:<10}{what}" for verb, what in VERBS.items())
    parser = _QueueParser(
        prog="haraka queue",
        description="Look at the queue, and change it.",
        epilog=f"verbs:\n{verbs}\n\n{_EXAMPLES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "verb", choices=[verb.value for verb in VERBS], metavar="VERB", help="see below"
    )
    parser.add_argument(
        "filters", nargs="*", metavar="FILTER", help=f"key=value: {', '.join(KEYS)}"
    )
    parser.add_argument(
        "-c",
        "--configs",
        type=Path,
        metavar="DIR",
        help="the instance (default: $HARAKA)",
    )
    _add_options(parser)
    return parser


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--all", action="store_true", help="all items, or all mail; no filter"
    )
    parser.add_argument(
        "--json", action="store_true", help="a JSON object on each line"
    )
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="list what would be changed, and change nothing",
    )
    parser.add_argument(
        "-y", "--yes", action="store_true", help="do not ask before a change"
    )
    parser.add_argument(
        "--to",
        metavar="HOP",
        help="with reroute: host, host:port, a URL such as smtps://host or"
        f" lmtp:/path; {USUAL_WAY} for the usual way again",
    )
    parser.add_argument(
        "--reason", metavar="TEXT", help="with bounce: what senders are told"
    )
