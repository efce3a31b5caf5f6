"""
Haraka, whose messages land in files.

It is looked for in the folder that C{PEERS} names, where C{npm install} has put it.
"""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import attrs

from tests.functional.peers.daemon import (
    CleanUp,
    greets,
    private_folder,
    run_daemon,
    which,
)
from tests.functional.processes import free_port
from tests.outbound.client.certificates import Signed

_OLDEST_NODE: Final = 20

# It does not greet anybody without these sections.
_CONNECTION: Final = (
    "[main]\nspool_dir=/tmp\n[haproxy]\n[headers]\n[max]\nbytes=26214400\n"
    "line_length=512\ndata_line_length=1000\nmime_parts=1000\n[message]\n[uuid]\n"
)


def lacks() -> str:
    """Why it cannot be run here, or C{""}."""
    if "PEERS" not in os.environ:
        return "PEERS does not name a folder with Haraka"
    if _haraka() is None:
        return f"no Haraka in {os.environ['PEERS']}"
    node = find_node()
    if node is None:
        return "not installed: node"
    version = subprocess.run([node, "--version"], capture_output=True, text=True)
    major = version.stdout.removeprefix("v").partition(".")[0]
    if version.returncode or int(major) < _OLDEST_NODE:
        return f"Haraka needs Node.js {_OLDEST_NODE}, and this is {version.stdout}"
    return ""


def _haraka() -> Path | None:
    peers = Path(os.environ.get("PEERS", ""))
    return next(peers.glob("**/node_modules/.bin/haraka"), None)


def find_node() -> str | None:
    """One that came with it, or else the system's."""
    peers = Path(os.environ.get("PEERS", ""))
    own = next(peers.glob("node/node_modules/*/bin/node"), None)
    return str(own) if own else which("node")


@attrs.frozen(eq=False)
class Haraka:
    """
    A running Haraka.

    @ivar port: where it takes mail.
    """

    folder: Path
    port: int

    def messages(self) -> list[bytes]:
        """What it has taken."""
        return [path.read_bytes() for path in self.folder.glob("tmp/mail_*.eml")]


def start_haraka(domain: str, certificate: Signed, clean_up: CleanUp) -> Haraka:
    """
    Start one.

    @param domain: whose mail it takes.
    @param clean_up: a test's C{addCleanup}.
    """
    folder, port = private_folder(clean_up), free_port()
    for name in ("tmp", "config", "plugins"):
        (folder / name).mkdir()
    for name, text in _files(domain, port, certificate).items():
        (folder / "config" / name).write_text(text)
    command = (str(find_node()), str(_haraka()), "-c", folder)
    daemon = run_daemon(command, folder, clean_up, TMPDIR=str(folder / "tmp"))
    daemon.until(lambda: greets(port))
    return Haraka(folder, port)


def _files(domain: str, port: int, certificate: Signed) -> Mapping[str, str]:
    return {
        "me": f"mx.{domain}\n",
        "host_list": f"{domain}\n",
        "plugins": "tls\nrcpt_to.in_host_list\nqueue/test\n",
        "smtp.ini": f"listen=127.0.0.1:{port}\nnodes=0\n",
        "connection.ini": _CONNECTION,
        "tls_key.pem": certificate.key.decode(),
        "tls_cert.pem": certificate.certificate.decode(),
        "tls.ini": "key=tls_key.pem\ncert=tls_cert.pem\n[redis]\n",
    }
