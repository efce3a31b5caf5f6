"""
Our own addresses, so that mail does not go round in circles.

Linux tells them in C{/proc/net}; elsewhere the postmaster's C{local_mx_ok} and the name
in C{config/me} have to do.
"""

import ipaddress
import re
from pathlib import Path
from typing import Final

PROC_NET: Final = Path("/proc/net")

_LOCAL4 = re.compile(r"\|-- ([0-9.]+)\n\s+/32 host LOCAL\b")
_LOCAL6 = re.compile(r"^([0-9a-f]{32}) ", re.MULTILINE)


def interface_addresses(proc_net: Path = PROC_NET) -> frozenset[str]:
    """
    The addresses of all interfaces of this machine, loopback included.

    @return: as text in the shortest form; empty where the system does not tell.
    """
    found4 = _LOCAL4.findall(_read(proc_net / "fib_trie"))
    found6 = _LOCAL6.findall(_read(proc_net / "if_inet6"))
    six = (str(ipaddress.IPv6Address(int(digits, 16))) for digits in found6)
    return frozenset((*found4, *six))


def _read(path: Path) -> str:
    try:
        return path.read_text("ascii", "replace")
    except OSError:
        return ""
