"""
Find a client's name by its address.

@see: RFC 1035 section 3.5, RFC 3596 section 2.5; Haraka row HK06
"""

import ipaddress
import re
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, Final, Protocol

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.names import dns
from twisted.names.error import AuthoritativeDomainError, DNSNameError
from twisted.python.failure import Failure
from zope.interface import implementer

from harakatw.interfaces.services import INameLookup

NO_NAME: Final = "NXDOMAIN"
NO_ANSWER: Final = "DNSERROR"

_CACHED = 10_000
_CACHED_SECONDS = 300.0
_HOST = re.compile(r"[a-z0-9_]([a-z0-9_.-]{0,252}[a-z0-9_])?")


class PointerLookup(Protocol):
    """The part of C{twisted.internet.interfaces.IResolver} that is used here."""

    def lookupPointer(
        self, name: str, timeout: Sequence[int] | None = None
    ) -> "Deferred[Any]":
        """Ask for PTR records."""


@implementer(INameLookup)
class NameLookup:
    """
    Looks PTR records up, and remembers what it found for a few minutes.
    """

    def __init__(
        self, resolver: PointerLookup, clock: IReactorTime, timeout_seconds: float
    ) -> None:
        """
        @param resolver: asked for pointers.
        @param clock: for the time-out and the age of what is remembered.
        @param timeout_seconds: for one look-up in all.
        """
        self._resolver = resolver
        self._clock = clock
        self._timeout = timeout_seconds
        self._known: OrderedDict[str, tuple[float, str]] = OrderedDict()

    def lookup_name(self, ip: str) -> "Deferred[str]":
        """
        Look the name of an address up.

        @return: fires with a name, L{NO_NAME} or L{NO_ANSWER}; never fails. Loopback is
            C{localhost} and costs no look-up.
        """
        try:
            address = ipaddress.ip_address(ip.partition("%")[0])
        except ValueError:
            return succeed(NO_NAME)
        if address.is_loopback:
            return succeed("localhost")
        known = self._known.get(ip)
        if known is not None and self._clock.seconds() < known[0]:
            return succeed(known[1])
        return self._ask(ip, address.reverse_pointer)

    def _ask(self, ip: str, question: str) -> "Deferred[str]":
        answer = self._resolver.lookupPointer(question)
        answer.addTimeout(self._timeout, self._clock)
        answer.addCallbacks(_first_name, _no_name)
        return answer.addCallback(self._remember, ip)

    def _remember(self, name: str, ip: str) -> str:
        if name != NO_ANSWER:
            self._known[ip] = (self._clock.seconds() + _CACHED_SECONDS, name)
            self._known.move_to_end(ip)
            if len(self._known) > _CACHED:
                self._known.popitem(last=False)
        return name


def _first_name(records: Any) -> str:
    """The first PTR record that holds a host name."""
    for record in records[0]:
        if record.type == dns.PTR:
            name = record.payload.name.name.decode("ascii", "replace").lower()
            if _HOST.fullmatch(name.rstrip(".")):
                return str(name.rstrip("."))
    return NO_NAME


def _no_name(failure: Failure) -> str:
    if failure.check(DNSNameError, AuthoritativeDomainError):
        return NO_NAME
    return NO_ANSWER
