"""Servers with certificates, and clients that speak TLS, over real sockets."""

import shutil
import ssl
from pathlib import Path
from typing import Any, Final

from tests.certificates import Signed, own, write_pair
from tests.functional.server import INSTANCE, RunningServer
from tests.functional.test_clients import ClientTestCase

IMPLICIT: Final = "[0]\ntls=implicit\n"
"""C{listeners.ini} of a server that speaks TLS from the first octet on."""


class TLSTestCase(ClientTestCase):
    """A test with servers that have certificates."""

    def start_tls_server(
        self,
        signed: Signed | None = None,
        listeners: str = "",
        tls_ini: str = "",
        clock: Any = None,
        **folder: Signed,
    ) -> RunningServer:
        """
        Start a server with plugin tls.

        @param signed: its usual certificate.
        @param folder: more of them, which go to C{config/tls/} under these names.
        """
        directory = Path(self.mktemp()).absolute()
        texts = {
            **INSTANCE,
            "config/plugins": f"tls\n{INSTANCE['config/plugins']}",
            "config/listeners.ini": listeners,
            "config/tls.ini": tls_ini,
        }
        for name, text in texts.items():
            path = directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        (directory / "plugins").mkdir()
        write_pair(directory / "config", signed or own("mx.here.example"))
        for name, each in folder.items():
            write_pair(directory / "config/tls" / name, each, "")
        return self.begin(directory) if clock is None else self.begin(directory, clock)


def any_certificate() -> ssl.SSLContext:
    """What a client that trusts everybody has."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def has_openssl() -> bool:
    """Is the program there?"""
    return shutil.which("openssl") is not None
