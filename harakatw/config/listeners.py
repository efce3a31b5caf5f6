"""
What each listener is for: C{listeners.ini}, which Haraka does not have.

A port is a listener for submission or for encrypted connections because a file says so,
and not by its number. C{smtps_port} of C{smtp.ini} goes on to mean what it means to
Haraka.

@see: RFC 6409 (submission), RFC 8314 section 3.3 (implicit TLS), RFC 2033 (LMTP)
"""

import re
from collections.abc import Container, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import ClassVar, Literal, TypeAlias

import attrs

from harakatw.config.core import SMTP_PORT, ServerOptions
from harakatw.config.endpoints import ListenAddress, parse_address
from harakatw.config.files import ConfigFiles
from harakatw.config.options import doc, other_sections
from harakatw.config.problems import Problem

FILE = "listeners.ini"

ListenerProtocol: TypeAlias = Literal["smtp", "lmtp"]
ListenerTLS: TypeAlias = Literal["starttls", "required", "implicit", "none"]

_KEYWORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")


def _are_keywords(instance: object, attribute: object, value: frozenset[str]) -> None:
    for word in sorted(value):
        if not _KEYWORD.fullmatch(word):
            raise ValueError(f"{word!r} is no keyword of EHLO, such as CHUNKING")


@attrs.frozen(kw_only=True)
class ListenerOptions:
    """One section of C{listeners.ini}."""

    protocol: ListenerProtocol = attrs.field(
        default="smtp", metadata=doc("What clients speak: smtp, or lmtp (RFC 2033).")
    )
    tls: ListenerTLS | None = attrs.field(
        default=None,
        metadata=doc(
            "When a session is encrypted: starttls is when the client asks for it and "
            "plugin tls is loaded, required is before it may send mail, implicit is "
            "from the first octet on, none is never. Without it, implicit at "
            "smtps_port of smtp.ini, else starttls."
        ),
    )
    submission: bool = attrs.field(
        default=False,
        metadata=doc("For users only: is AUTH needed before MAIL (RFC 6409)?"),
    )
    proxy: bool = attrs.field(
        default=False,
        metadata=doc("Does every connection have to begin with a PROXY header?"),
    )
    no_extensions: frozenset[str] = attrs.field(
        default=frozenset(),
        validator=_are_keywords,
        metadata=doc("Keywords of EHLO that are not offered, such as CHUNKING."),
    )


@attrs.frozen(kw_only=True)
class ListenersOptions:
    """C{listeners.ini}: a section for each listener that is not an ordinary one."""

    config_file: ClassVar[str] = FILE

    sections: Mapping[str, ListenerOptions] = attrs.field(
        factory=dict,
        metadata=other_sections(
            "One listener: an address as it stands in listen of smtp.ini, or its port "
            "alone, or the path of its socket. The section of the address goes before "
            "that of the port.",
            example="587",
        ),
    )


@attrs.frozen(kw_only=True)
class Listener:
    """
    The profile of one listener, as a session knows it.

    @ivar address: as C{smtp.ini} has it; C{""} in a session that came otherwise.
    @ivar protocol: what is spoken.
    @ivar tls: when a session is encrypted.
    @ivar submission: do clients have to log in before MAIL?
    @ivar proxy: does each connection begin with a PROXY header?
    @ivar no_extensions: keywords of EHLO that are not offered, in upper case.
    @ivar client_certificate: may only clients with a good certificate send mail?
    @ivar guarded: has anything to be done before MAIL?
    """

    address: str = ""
    protocol: ListenerProtocol = "smtp"
    tls: ListenerTLS = "starttls"
    submission: bool = False
    proxy: bool = False
    no_extensions: frozenset[str] = frozenset()
    client_certificate: bool = False
    guarded: bool = attrs.field(init=False)

    @guarded.default
    def _is_guarded(self) -> bool:
        return self.submission or self.client_certificate or self.tls == "required"


ORDINARY = Listener()
"""SMTP for everybody."""


def listeners(
    server: ServerOptions,
    options: ListenersOptions,
    authorized_ports: Container[int] = (),
) -> Mapping[ListenAddress, Listener]:
    """
    Put C{smtp.ini} and C{listeners.ini} together.

    @param authorized_ports: C{requireAuthorized} of C{tls.ini}.
    @return: the profile of each address that the server listens on.
    """
    sections = dict(_by_place(options.sections))
    return MappingProxyType(
        {
            address: attrs.evolve(
                _listener(address, _chosen(address, sections), server.smtps_port),
                client_certificate=bool(address.port)
                and address.port in authorized_ports,
            )
            for address in server.addresses
        }
    )


def unused_sections(
    server: ServerOptions, options: ListenersOptions, files: ConfigFiles
) -> tuple[Problem, ...]:
    """
    Find sections of C{listeners.ini} that no listener has.

    @param files: what the options were read from, for the lines.
    """
    used = {place for address in server.addresses for place in _places(address)}
    written = files.read_ini(FILE).value.sections
    problems = []
    for name in options.sections:
        place = _place(name)
        if place in used:
            continue
        why = (
            "names no port, IP address with a port, or path of a socket"
            if place is None
            else "is about no listener of smtp.ini"
        )
        line = written[name].line if name in written else 0
        problems.append(Problem(files.shown(FILE), line, name, "", why))
    return tuple(problems)


def misplaced_lmtp(
    server: ServerOptions, options: ListenersOptions, files: ConfigFiles
) -> tuple[Problem, ...]:
    """
    Find listeners that are to speak LMTP where SMTP is expected.

    @param files: what the options were read from.
    @see: RFC 2033 section 5
    """
    sections = dict(_by_place(options.sections))
    why = "protocol: port 25 is not for LMTP (RFC 2033 section 5); smtp is spoken"
    return tuple(
        Problem(files.shown(FILE), 0, str(address), "", why)
        for address in server.addresses
        if _is_port_25(address) and _chosen(address, sections).protocol == "lmtp"
    )


def _is_port_25(address: ListenAddress) -> bool:
    return not address.path and address.port == SMTP_PORT


_Place: TypeAlias = ListenAddress | int
"""What a section's name says: an address, its mode left out, or a port alone."""


def _by_place(
    sections: Mapping[str, ListenerOptions],
) -> Iterator[tuple[_Place, ListenerOptions]]:
    for name, options in sections.items():
        place = _place(name)
        if place is not None:
            yield place, options


def _place(name: str) -> _Place | None:
    if re.fullmatch(r"[0-9]{1,5}", name):
        return int(name)
    try:
        return attrs.evolve(parse_address(name, SMTP_PORT), mode=None)
    except ValueError:
        return None


def _places(address: ListenAddress) -> Iterable[_Place]:
    """What a section about an address may be called, the nearest first."""
    exact = attrs.evolve(address, mode=None)
    return (exact,) if address.path else (exact, address.port)


def _chosen(
    address: ListenAddress, sections: Mapping[_Place, ListenerOptions]
) -> ListenerOptions:
    for place in _places(address):
        if place in sections:
            return sections[place]
    return ListenerOptions()


def _listener(
    address: ListenAddress, options: ListenerOptions, smtps_port: int
) -> Listener:
    is_smtps = not address.path and address.port == smtps_port
    return Listener(
        address=str(address),
        protocol="smtp" if _is_port_25(address) else options.protocol,
        tls=options.tls or ("implicit" if is_smtps else "starttls"),
        submission=options.submission,
        proxy=options.proxy,
        no_extensions=frozenset(word.upper() for word in options.no_extensions),
    )
