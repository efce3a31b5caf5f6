"""
Postfix, with Maildirs.

@see: U{https://www.postfix.org/postconf.5.html},
    U{https://www.postfix.org/master.5.html}
"""

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import attrs

from tests.functional.peers.daemon import (
    NOBODY,
    CleanUp,
    lacking,
    owned_folder,
    private_folder,
    which,
)
from tests.functional.processes import free_port
from tests.outbound.client.certificates import Signed

MAX_OCTETS: Final = 300_000
"""The biggest message that it takes."""

_SERVICES: Final = """\
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""


def lacks() -> str:
    """Why it cannot be run here, or C{""}."""
    return lacking("postfix", "postconf")


@attrs.frozen(eq=False)
class Postfix:
    """
    A running Postfix.

    @ivar port: of C{smtpd}, which wants TLS from everybody.
    """

    folder: Path
    port: int

    def messages(self) -> list[bytes]:
        """What it has delivered."""
        return [path.read_bytes() for path in self.folder.glob("mail/box/new/*")]

    def log(self) -> str:
        """What it has logged."""
        return (self.folder / "log").read_text("utf-8", "replace")


def start_postfix(domain: str, certificate: Signed, clean_up: CleanUp) -> Postfix:
    """
    Start one.

    @param domain: whose mail it takes, for any user, into one Maildir.
    @param clean_up: a test's C{addCleanup}.
    """
    folder, port = private_folder(clean_up), free_port()
    etc = folder / "etc"
    for path in (etc, folder / "spool"):
        path.mkdir()
    owned_folder(folder / "data", "postfix")
    owned_folder(folder / "mail", NOBODY)
    (etc / "cert.pem").write_bytes(certificate.key + certificate.certificate)
    (etc / "master.cf").write_text(_SERVICES.format(port=port))
    settings = _settings(folder, domain)
    lines = (f"{key} = {value}\n" for key, value in settings.items())
    (etc / "main.cf").write_text("".join(lines))
    _postfix(etc, "start")
    clean_up(_postfix, etc, "stop")
    return Postfix(folder, port)


def _settings(folder: Path, domain: str) -> Mapping[str, object]:
    return {
        "compatibility_level": "3.6",
        "queue_directory": folder / "spool",
        "data_directory": folder / "data",
        "maillog_file": folder / "log",
        "maillog_file_prefixes": folder,
        "inet_interfaces": "127.0.0.1",
        "inet_protocols": "ipv4",
        "myhostname": f"mx.{domain}",
        "mydestination": "",
        "mynetworks": "",
        "smtpd_relay_restrictions": "reject_unauth_destination",
        "alias_maps": "",
        "alias_database": "",
        "disable_dns_lookups": "yes",
        "smtpd_peername_lookup": "no",
        "smtpd_tls_security_level": "encrypt",
        "smtpd_tls_cert_file": folder / "etc/cert.pem",
        "smtpd_tls_received_header": "yes",
        "message_size_limit": MAX_OCTETS,
        "virtual_mailbox_limit": MAX_OCTETS,
        "virtual_mailbox_domains": domain,
        "virtual_mailbox_base": folder / "mail",
        "virtual_mailbox_maps": "static:box/",
        "virtual_uid_maps": f"static:{NOBODY}",
        "virtual_gid_maps": f"static:{NOBODY}",
    }


def _postfix(etc: Path, command: str) -> None:
    program = which("postfix")
    assert program is not None, "see lacks()"
    done = subprocess.run([program, "-c", str(etc), command], capture_output=True)
    if done.returncode:
        raise AssertionError(f"postfix {command}: {done.stderr.decode()}")
