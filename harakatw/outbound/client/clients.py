"""
Whose mail it is: what is kept of a client with its message, and told to a hop that
wants to know.

@see: Postfix's C{XCLIENT_README} and C{XFORWARD_README}
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from harakatw.wire.xclient import TEMPUNAVAIL, Attributes

NOTE: Final = "client"
"""The note of a message that says who its client was."""

TOLD: Final = "xforward"
"""The note of what a trusted peer said of its own client, by plugin C{xclient}."""

NOBODY: Final[Attributes] = MappingProxyType({})
"""Nobody is known."""

_NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {"NXDOMAIN": "", "Unknown": "", "DNSERROR": TEMPUNAVAIL}
)
_GREETED: Final[Mapping[str, str]] = MappingProxyType({"HELO": "SMTP", "LHLO": "LMTP"})


def note_of(connection: Any) -> dict[str, object]:
    """
    What is kept of a client.

    @param connection: L{harakatw.interfaces.session.IConnection}.
    """
    remote, local, hello = connection.remote, connection.local, connection.hello
    return {
        "name": remote.host,
        "addr": remote.ip,
        "port": str(remote.port),
        "proto": _GREETED.get(hello.verb, "ESMTP"),
        "helo": hello.host,
        "login": connection.notes.get("auth_user") or "",
        "destaddr": local.ip,
        "destport": str(local.port),
        "source": "LOCAL" if remote.is_private else "REMOTE",
    }


def xclient_of(notes: Mapping[str, object]) -> Attributes:
    """
    The client that a session is to become, as XCLIENT says it.

    @param notes: of the message.
    @return: nothing if its address is not known.
    """
    kept = _texts(notes.get(NOTE))
    if not kept.get("addr"):
        return NOBODY
    proto = "SMTP" if kept.get("proto") == "SMTP" else "ESMTP"
    return _attributes(
        {**kept, "proto": proto},
        *("name", "addr", "port", "proto", "helo", "login", "destaddr", "destport"),
    )


def xforward_of(notes: Mapping[str, object], uuid: str) -> Attributes:
    """
    Whose mail it is, as XFORWARD says it: who a peer of ours said it was, or else our
    own client; for mail of this server itself only its id.

    @param uuid: of the transaction.
    """
    kept = _texts(notes.get(TOLD)) or _texts(notes.get(NOTE)) or {"source": "LOCAL"}
    return _attributes(
        {"ident": uuid, **kept},
        *("name", "addr", "port", "proto", "helo", "ident", "source"),
    )


def _texts(note: object) -> dict[str, str]:
    """Plugins can write any note: what is no clean text is left out."""
    if not isinstance(note, Mapping):
        return {}
    return {
        name: value
        for name, value in note.items()
        if isinstance(name, str) and isinstance(value, str) and value.isprintable()
    }


def _attributes(kept: Mapping[str, str], *names: str) -> Attributes:
    found = {name.upper(): kept[name] for name in names if name in kept}
    if "NAME" in found:
        found["NAME"] = _NAMES.get(found["NAME"], found["NAME"])
    for port in ("PORT", "DESTPORT"):
        if found.get(port) == "0":
            found[port] = ""
    if not found.get("DESTADDR"):
        found.pop("DESTADDR", None)
        found.pop("DESTPORT", None)
    return MappingProxyType(found)
