"""
What C{access.ini} and the lists of the C{access} plugin may say.

@see: Haraka row PN01
"""

from typing import Final

import attrs

from harakatw.plugin import doc, list_file
from harakatw.plugins._access_lists import check_entries
from harakatw.plugins._patterns import check_patterns

DOMAINS: Final = "access.domains"
CLIENTS: Final = "connect.rdns_access"
SENDERS: Final = "mail_from.access"
RECIPIENTS: Final = "rcpt_to.access"
HELLOS: Final = "helo.checks.regexps"
BLOCKLIST: Final = "mail_from.blocklist"


def _check(what: str, default: bool, key: str) -> bool:
    field: bool = attrs.field(
        default=default, metadata=doc(what, section="check", key=key)
    )
    return field


def _words(default: str, key: str) -> str:
    field: str = attrs.field(
        default=default,
        metadata=doc("What who is turned away reads.", section="deny_msg", key=key),
    )
    return field


def _old_words(file: str) -> str:
    field: str = attrs.field(
        default="",
        metadata=doc(
            "As deny_msg in access.ini, which it goes before.",
            section="general",
            key="deny_msg",
            file=file,
        ),
    )
    return field


def _entries(file: str, what: str) -> tuple[str, ...]:
    field: tuple[str, ...] = attrs.field(
        default=(), validator=check_entries, metadata=list_file(file, what)
    )
    return field


def _patterns(file: str, what: str) -> tuple[str, ...]:
    field: tuple[str, ...] = attrs.field(
        default=(),
        validator=check_patterns,
        metadata=list_file(file, f"{what} Patterns, each for the whole text."),
    )
    return field


@attrs.frozen(kw_only=True)
class AccessOptions:
    """C{access.ini}, and the lists."""

    any: bool = _check("Look for access.domains everywhere?", True, "any")
    data: bool = _check("With any: look into the From header too?", True, "data")
    conn: bool = _check("Check clients by the connect.rdns_access lists?", True, "conn")
    helo: bool = _check("Check HELO and EHLO by helo.checks.regexps?", False, "helo")
    mail: bool = _check("Check senders by the mail_from.access lists?", True, "mail")
    rcpt: bool = _check("Check recipients by the rcpt_to.access lists?", True, "rcpt")
    accept: bool = attrs.field(
        default=False,
        metadata=doc(
            "Accept recipients that are in a whitelist, as a rcpt_to plugin does?",
            section="rcpt",
        ),
    )
    deny_conn: str = _words("You are not allowed to connect", "conn")
    deny_helo: str = _words("That HELO is not allowed to connect", "helo")
    deny_mail: str = _words("That sender cannot send mail here", "mail")
    deny_rcpt: str = _words("That recipient is not allowed", "rcpt")
    old_deny_conn: str = _old_words(f"{CLIENTS}.ini")
    old_deny_mail: str = _old_words(f"{SENDERS}.ini")
    old_deny_rcpt: str = _old_words(f"{RECIPIENTS}.ini")

    domains: tuple[str, ...] = attrs.field(
        default=(),
        metadata=list_file(
            DOMAINS, "Domains to turn away wherever they turn up; ! excepts one."
        ),
    )
    conn_white: tuple[str, ...] = _entries(
        f"{CLIENTS}.whitelist", "Addresses, networks and names of welcome clients."
    )
    conn_white_regex: tuple[str, ...] = _patterns(
        f"{CLIENTS}.whitelist_regex", "Addresses and names of welcome clients."
    )
    conn_black: tuple[str, ...] = _entries(
        f"{CLIENTS}.blacklist", "Addresses, networks and names to turn away."
    )
    conn_black_regex: tuple[str, ...] = _patterns(
        f"{CLIENTS}.blacklist_regex", "Addresses and names to turn away."
    )
    helo_black_regex: tuple[str, ...] = _patterns(
        HELLOS, "Names in HELO and EHLO to turn away."
    )
    mail_white: tuple[str, ...] = _entries(f"{SENDERS}.whitelist", "Welcome senders.")
    mail_white_regex: tuple[str, ...] = _patterns(
        f"{SENDERS}.whitelist_regex", "Welcome senders."
    )
    mail_black: tuple[str, ...] = _entries(
        f"{SENDERS}.blacklist", "Senders to turn away."
    )
    mail_black_regex: tuple[str, ...] = _patterns(
        f"{SENDERS}.blacklist_regex", "Senders to turn away."
    )
    mail_blocklist: tuple[str, ...] = _entries(
        BLOCKLIST, "Senders to turn away; the block_me plugin adds to it."
    )
    rcpt_white: tuple[str, ...] = _entries(
        f"{RECIPIENTS}.whitelist", "Recipients that may get mail."
    )
    rcpt_white_regex: tuple[str, ...] = _patterns(
        f"{RECIPIENTS}.whitelist_regex", "Recipients that may get mail."
    )
    rcpt_black: tuple[str, ...] = _entries(
        f"{RECIPIENTS}.blacklist", "Recipients that get no mail."
    )
    rcpt_black_regex: tuple[str, ...] = _patterns(
        f"{RECIPIENTS}.blacklist_regex", "Recipients that get no mail."
    )
