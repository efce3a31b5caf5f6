"""
What C{headers.ini} says.

@see: Haraka row PN14
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar, Final

import attrs

from harakatw.message.field import is_field_name
from harakatw.plugin import doc, ge, whole_section

SINGULAR: Final = (
    "Date",
    "From",
    "Sender",
    "Reply-To",
    "To",
    "Cc",
    "Bcc",
    "Message-Id",
    "In-Reply-To",
    "References",
    "Subject",
)

BRANDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "aaa": "aaa.com",
        "aarp": "aarp.org",
        "adt": "adt.com",
        "aetna": "aetna.com",
        "amazon": "amazon.com",
        "apple": "apple.com",
        "bankofamerica": "bankofamerica.com",
        "bcbs": "bcbs.com",
        "bestbuy": "bestbuy.com",
        "bluecross": "bluecross.com",
        "blueshield": "blueshield.com",
        "chase": "chase.com",
        "cigna": "cigna.com",
        "citibank": "citibank.com",
        "costco": "costco.com",
        "dhl": "dhl.com",
        "ebay": "ebay.com",
        "fedex": "fedex.com",
        "homedepot": "homedepot.com",
        "mariott": "marriott.com",
        "marriott": "marriott.com",
        "microsoft": "microsoft.com",
        "paypal": "paypal.com",
        "target": "target.com",
        "uhc": "uhc.com",
        "unitedhealthcare": "uhc.com",
        "usps": "usps.com",
        "walmart": "walmart.com",
        "wellsfargo": "wellsfargo.com",
    }
)

_NEVER_REFUSED: Final = "this check only stores results"


def _are_fields(
    instance: object, attribute: "attrs.Attribute[tuple[str, ...]]", value: object
) -> None:
    """
    An attrs validator for a list of names of header fields.

    @raise ValueError: if one cannot be a field's.
    """
    for name in value if isinstance(value, tuple) else ():
        if not is_field_name(name):
            raise ValueError(f"{name!r} cannot name a header field")


def _check(what: str) -> bool:
    field: bool = attrs.field(default=True, metadata=doc(what, section="check"))
    return field


def _reject(what: str, key: str, default: bool = False) -> bool:
    field: bool = attrs.field(
        default=default, metadata=doc(what, section="reject", key=key)
    )
    return field


@attrs.frozen(kw_only=True)
class HeadersOptions:
    """C{headers.ini}."""

    config_file: ClassVar[str] = "headers.ini"
    unsupported: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            f"reject.{name}": _NEVER_REFUSED
            for name in ("user_agent", "direct_to_mx", "from_match", "mailing_list")
        }
    )

    required: tuple[str, ...] = attrs.field(
        default=("From", "Date"),
        validator=_are_fields,
        metadata=doc("Fields that each message must have."),
    )
    singular: tuple[str, ...] = attrs.field(
        default=SINGULAR,
        validator=_are_fields,
        metadata=doc("Fields of which a message may have one at the most."),
    )
    date_future_days: float = attrs.field(
        default=2,
        validator=ge(0),
        metadata=doc("How far ahead a Date may be; 0 for any.", unit="days"),
    )
    date_past_days: float = attrs.field(
        default=15,
        validator=ge(0),
        metadata=doc("How far back a Date may be; 0 for any.", unit="days"),
    )

    duplicate_singular: bool = _check("Look for fields that stand there twice?")
    missing_required: bool = _check("Look for fields that are missing?")
    invalid_return_path: bool = _check(
        "Look for a Return-Path? It is removed from mail that comes in."
    )
    invalid_date: bool = _check("Look whether Date is about now?")
    user_agent: bool = _check("Look which program wrote the message?")
    direct_to_mx: bool = _check("Look whether the message came past a server?")
    from_match: bool = _check("Compare From with the sender?")
    delivered_to: bool = _check("Look for a recipient in Delivered-To?")
    mailing_list: bool = _check("Look whether a mailing list sent the message?")
    from_phish: bool = _check("Look for names in From that others have?")

    reject_duplicate_singular: bool = _reject(
        "Refuse messages that have a field twice.", "duplicate_singular"
    )
    reject_missing_required: bool = _reject(
        "Refuse messages that lack a field.", "missing_required"
    )
    reject_invalid_return_path: bool = _reject(
        "Refuse Return-Path in mail of clients that may relay.", "invalid_return_path"
    )
    reject_invalid_date: bool = _reject(
        "Refuse messages whose Date is none, or too far off.", "invalid_date"
    )
    reject_delivered_to: bool = _reject(
        "Refuse messages that were delivered to a recipient already.",
        "delivered_to",
        default=True,
    )
    reject_from_phish: bool = _reject(
        "Refuse messages that use the name of another.", "from_phish"
    )

    phish_targets: Mapping[str, str] = attrs.field(
        default=BRANDS,
        metadata=whole_section(
            "Names that are often misused, and the domains that may use each.",
            section="phish_targets",
        ),
    )
    phish_domains: Mapping[str, str] = attrs.field(
        factory=dict,
        metadata=whole_section(
            "Domains that are often misused; older than phish_targets.",
            section="phish_domains",
        ),
    )
