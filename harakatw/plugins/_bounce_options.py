"""
What C{bounce.ini} and its lists say.

@see: Haraka row PN05
"""

import hashlib
from collections.abc import Iterator, Mapping
from functools import cached_property
from types import MappingProxyType
from typing import ClassVar, Final, TypeGuard

import attrs

from harakatw.config.problems import Problem
from harakatw.plugin import doc, gt, json_file, list_file
from harakatw.plugins._bounce_mark import MIN_SECRET_CHARACTERS
from harakatw.plugins._host_list import HostListOptions

FILE: Final = "bounce.ini"
WHITELIST: Final = "bounce_whitelist.json"

_PLACEHOLDER: Final = "your_generated_secret_here"
_NO_SPF: Final = "comes later, with SPF"


def _is_hash(instance: object, attribute: "attrs.Attribute[str]", value: str) -> None:
    """
    An attrs validator for the name of a hash with a digest of a fixed length.

    @raise ValueError: if there is none of that name.
    """
    known = hashlib.algorithms_guaranteed
    if value not in known or value.startswith("shake"):
        names = sorted(name for name in known if not name.startswith("shake"))
        raise ValueError(f"{value!r} is not one of {', '.join(names)}")


def _switch(what: str, section: str, key: str, default: bool) -> bool:
    field: bool = attrs.field(
        default=default, metadata=doc(what, section=section, key=key)
    )
    return field


@attrs.frozen(kw_only=True, slots=False)  # cached_property needs a place
class BounceOptions(HostListOptions):
    """C{bounce.ini}, its lists, and the domains that are ours."""

    config_file: ClassVar[str] = FILE
    unsupported: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"check.bounce_spf": _NO_SPF, "reject.bounce_spf": _NO_SPF}
    )

    max_hash_age_days: float = attrs.field(
        default=6,
        validator=gt(0),
        metadata=doc(
            "For how long reports on a message may come.",
            unit="days",
            section="validation",
        ),
    )
    hash_algorithm: str = attrs.field(
        default="sha256",
        validator=_is_hash,
        metadata=doc("The hash that marks are made with.", section="validation"),
    )
    secret: str = attrs.field(
        default="",
        repr=False,
        metadata=doc(
            "What marks are made with, 32 characters or more, the same on all servers;"
            " openssl rand -base64 32 makes one.",
            section="validation",
            secret=True,
        ),
    )

    single_recipient: bool = _switch(
        "Has a bounce one recipient?", "check", "single_recipient", True
    )
    empty_return_path: bool = _switch(
        "Has it no Return-Path?", "check", "empty_return_path", False
    )
    hash_validation: bool = _switch(
        "Mark mail that leaves, and look for the mark in bounces?",
        "check",
        "hash_validation",
        False,
    )
    hash_date: bool = _switch(
        "Is what it is about younger than max_hash_age_days?",
        "check",
        "hash_date",
        True,
    )
    non_local_msgid: bool = _switch(
        "Is the Message-ID of what it is about of a domain in host_list?",
        "check",
        "non_local_msgid",
        False,
    )
    old_reject_all: bool = _switch(
        "As all_bounces in [reject].", "check", "reject_all", False
    )

    reject_single_recipient: bool = _switch(
        "Refuse bounces to several recipients.", "reject", "single_recipient", True
    )
    reject_empty_return_path: bool = _switch(
        "Refuse those with a Return-Path.", "reject", "empty_return_path", False
    )
    reject_bad_rcpt: bool = _switch(
        "Refuse those to addresses in bounce_bad_rcpt.", "reject", "bad_rcpt", True
    )
    reject_hash_validation: bool = _switch(
        "Refuse those without a good mark.", "reject", "hash_validation", False
    )
    reject_hash_date: bool = _switch(
        "Refuse those whose mark is too old.", "reject", "hash_date", False
    )
    reject_non_local_msgid: bool = _switch(
        "Refuse those with a foreign Message-ID.", "reject", "non_local_msgid", False
    )
    all_bounces: bool = _switch(
        "Refuse all bounces, which is seldom a good idea.",
        "reject",
        "all_bounces",
        False,
    )
    remaining_plugins: bool = _switch(
        "Spare a bounce with a good mark the checks of later plugins on data_post.",
        "skip",
        "remaining_plugins",
        False,
    )

    bad_rcpt: tuple[str, ...] = attrs.field(
        default=(),
        metadata=list_file(
            "bounce_bad_rcpt",
            "Addresses that never send, so that no bounce is for them.",
        ),
    )
    whitelist: Mapping[str, object] = attrs.field(
        factory=dict,
        metadata=json_file(
            WHITELIST,
            "For each recipient, a list of authors who may write from the null path"
            " without a mark: addresses, or *@domain.",
        ),
    )

    @property
    def is_marking(self) -> bool:
        """Are marks made and looked for? That needs a secret."""
        is_wanted = self.hash_validation or self.reject_hash_validation
        return is_wanted and not self._secret_complaint

    @cached_property
    def listed(self) -> Mapping[str, tuple[str, ...]]:
        """The entries of C{whitelist} that are right, in lower case."""
        return {
            recipient.lower(): tuple(author.lower() for author in authors)
            for recipient, authors in self.whitelist.items()
            if _are_texts(authors)
        }

    @property
    def mistakes(self) -> tuple[Problem, ...]:
        """What cannot be done, and entries of lists that can match nothing."""
        return tuple(self._mistakes())

    @property
    def _secret_complaint(self) -> str:
        if self.secret in ("", _PLACEHOLDER):
            return "there is none, so no bounce is validated"
        if len(self.secret) < MIN_SECRET_CHARACTERS:
            return f"is shorter than {MIN_SECRET_CHARACTERS}, so no bounce is validated"
        return ""

    def _mistakes(self) -> Iterator[Problem]:
        why = self._secret_complaint
        if why and (self.hash_validation or self.reject_hash_validation):
            yield Problem(f"config/{FILE}", 0, "validation", "secret", why)
        for entry in self.bad_rcpt:
            if "@" not in entry:
                why = f"{entry!r} is no address"
                yield Problem("config/bounce_bad_rcpt", 0, "", "", why)
        for recipient, authors in self.whitelist.items():
            if not _are_texts(authors):
                why = f"{recipient}: expected a list of addresses"
                yield Problem(f"config/{WHITELIST}", 0, "", recipient, why)


def _are_texts(value: object) -> TypeGuard[list[str]]:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)
