"""Which DNS servers to ask: those that the system asks."""

import ipaddress
from pathlib import Path

DNS_PORT = 53


def name_servers(path: Path) -> tuple[tuple[str, int], ...]:
    """
    Read the C{nameserver} lines of a resolv.conf file.

    @return: addresses and ports; the local host's if the file names none or is not
        there.
    """
    try:
        lines = path.read_text("utf-8", "replace").split("\n")
    except OSError:
        lines = []
    found = []
    for line in lines:
        words = line.split()
        if len(words) >= 2 and words[0] == "nameserver" and _is_address(words[1]):
            found.append((words[1], DNS_PORT))
    return tuple(found) or (("127.0.0.1", DNS_PORT),)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
