"""
OpenLDAP's server, with a directory of its own.

@see: C{slapd.conf(5)}
"""

import os
import socket
import subprocess
from pathlib import Path
from typing import Final

import attrs

from tests.functional.peers.daemon import (
    CleanUp,
    private_folder,
    run_daemon,
    which,
)
from tests.functional.processes import free_port
from tests.outbound.client.certificates import Authority

BASE: Final = "dc=a,dc=test"

_SCHEMAS: Final = Path("/etc/ldap/schema")
_MODULES: Final = Path("/usr/lib/ldap")

_CONFIGURATION: Final = """\
include {schemas}/core.schema
include {schemas}/cosine.schema
include {schemas}/inetorgperson.schema
modulepath {modules}
moduleload back_mdb
pidfile {folder}/pid
TLSCACertificateFile {folder}/ca.pem
TLSCertificateFile {folder}/cert.pem
TLSCertificateKeyFile {folder}/key.pem
database mdb
suffix "dc=a,dc=test"
rootdn "cn=mx,dc=a,dc=test"
rootpw sesam
directory {folder}/data
access to attrs=userPassword by anonymous auth
access to * by dn.exact="cn=mx,dc=a,dc=test" read
"""

_ENTRIES: Final = """\
dn: dc=a,dc=test
objectClass: domain
dc: a

dn: ou=people,dc=a,dc=test
objectClass: organizationalUnit
ou: people
"""

_PERSON: Final = """
dn: uid={escaped},ou=people,dc=a,dc=test
objectClass: inetOrgPerson
uid: {uid}
cn: {uid}
sn: {uid}
mail: {mail}
userPassword: {password}
"""


def lacks() -> str:
    """Why it cannot be run here, or C{""}."""
    missing = [name for name in ("slapd", "slapadd") if which(name) is None]
    if missing:
        return f"not installed: {', '.join(missing)}"
    if not (_SCHEMAS.is_dir() and _MODULES.is_dir()):
        return "slapd is not where Debian has it"
    return ""


@attrs.frozen(kw_only=True)
class Person:
    """
    An entry.

    @ivar escaped: C{uid} as it stands in the entry's name.
    """

    uid: str
    escaped: str
    mail: str
    password: str


@attrs.frozen
class Slapd:
    """A running server."""

    port: int
    tls_port: int


def start_slapd(
    *people: Person, authority: Authority, name: str, clean_up: CleanUp
) -> Slapd:
    """
    Start one.

    @param authority: signs its certificate.
    @param name: for whom the certificate is.
    @param clean_up: a test's C{addCleanup}.
    """
    folder = private_folder(clean_up)
    signed = authority.sign(name)
    (folder / "data").mkdir()
    (folder / "ca.pem").write_bytes(authority.certificate)
    (folder / "cert.pem").write_bytes(signed.certificate)
    (folder / "key.pem").write_bytes(signed.key)
    configuration = folder / "slapd.conf"
    configuration.write_text(
        _CONFIGURATION.format(folder=folder, schemas=_SCHEMAS, modules=_MODULES)
    )
    entries = _ENTRIES + "".join(
        _PERSON.format(**attrs.asdict(person)) for person in people
    )
    subprocess.run(
        [str(which("slapadd")), "-f", configuration],
        input=entries.encode(),
        check=True,
        capture_output=True,
        timeout=60,
        env={**os.environ},
    )
    slapd = Slapd(free_port(), free_port())
    places = f"ldap://127.0.0.1:{slapd.port} ldaps://127.0.0.1:{slapd.tls_port}"
    command = (str(which("slapd")), "-f", configuration, "-h", places, "-d", "0")
    daemon = run_daemon(command, folder, clean_up)
    daemon.until(lambda: _listens(slapd.port) and _listens(slapd.tls_port))
    return slapd


def _listens(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 1):
            return True
    except OSError:
        return False
