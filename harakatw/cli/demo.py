"""C{haraka demo}: a server to try, with nothing to set up."""

import signal
import time
from pathlib import Path
from types import FrameType
from typing import Any, Final, TextIO

import attrs
from twisted.internet.interfaces import IReactorCore

from harakatw.cli.create import (
    create,
    instance_files,
    own_host,
    with_plugin,
    write_key,
)
from harakatw.cli.failure import CommandError
from harakatw.cli.instance import OpenInstance, open_instance
from harakatw.cli.run import start, twistd_arguments
from harakatw.config.core import ServerOptions
from harakatw.config.endpoints import ListenAddress, parse_address
from harakatw.config.options import load_options
from harakatw.net.tls.self_signed import self_signed
from harakatw.plugins.queue.maildir import MaildirOptions

DIRECTORY: Final = Path("haraka-demo")
LISTEN: Final = "127.0.0.1:2525"

_MAX_MEGABYTES: Final = 64
"""What a demo takes: by default 20 MB of attachment are too much once encoded."""

_EVERY_ADDRESS: Final = ("::", "0.0.0.0")


def demo(
    directory: Path, listen: str | None, reactor: IReactorCore, out: TextIO
) -> int:
    """
    Make an instance unless there is one, and run it in the foreground.

    Ctrl-C or SIGTERM stops it, with status 0.

    @param listen: where a new instance listens, L{None} for L{LISTEN}.
    @param reactor: the one that the server will run in.
    @param out: gets the instructions, once the port is open.
    @raise HarakaError: if the server cannot start.
    """
    directory = directory.absolute()
    if not (directory / "config").is_dir():
        make_demo(directory, listen or LISTEN)
    elif listen is not None:
        raise CommandError(
            f"{directory} is there already, and listens where its config/smtp.ini "
            "says: edit that, or leave --listen out"
        )
    instance = open_instance(directory)
    reactor.callWhenRunning(_started, reactor, instructions(instance), out)
    start(twistd_arguments(directory, _in_foreground(instance)))
    return 0


def make_demo(directory: Path, listen: str) -> None:
    """
    Make an instance that takes mail for this machine, into a Maildir of its own.

    @param listen: an IP address and a port.
    @raise CommandError: if that is none, or the instance cannot be made.
    """
    try:
        address = parse_address(listen, 0)
    except ValueError as error:
        raise CommandError(f"--listen: {error}") from None
    if not address.port:
        raise CommandError(f"--listen: {listen!r} needs an IP address and a port")
    host = own_host()
    files = instance_files(host, dict.fromkeys((host, "localhost")))
    own = self_signed((host, "localhost", "127.0.0.1", "::1"), time.time())
    files["config/tls_cert.pem"] = own.certificate.decode("ascii")
    files["config/plugins"] = with_plugin(files["config/plugins"], "tls")
    _put_first(files, "smtp.ini", f"listen={address}")
    _put_first(files, "connection.ini", f"[max]\nbytes={_MAX_MEGABYTES}M")
    create(directory, files, force=False)
    write_key(directory / "config/tls_key.pem", own.key)


def _put_first(files: dict[str, str], name: str, lines: str) -> None:
    path = f"config/{name}"
    files[path] = f"; The demo's.\n{lines}\n\n{files[path]}"


def _in_foreground(instance: OpenInstance) -> ServerOptions:
    return attrs.evolve(instance.server, daemonize=False)


def instructions(instance: OpenInstance) -> str:
    """What to type to send a message, and where it lands."""
    host, port = _reach(instance.server.addresses)
    domains = instance.files.read_list("host_list").value or ("localhost",)
    recipient = f"you@{domains[0]}"
    # Only the standard library, and quotes that any shell takes as they are.
    one_liner = (
        f'import smtplib; smtplib.SMTP("{host}", {port}).sendmail("me@example.org", '
        f'"{recipient}", "Subject: hello\\r\\n\\r\\nIt works.\\r\\n")'
    )
    server = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return f"""\
Haraka runs on the instance {instance.directory}; Ctrl-C stops it.

Send it a message from another terminal:

  swaks --server {server} --from me@example.org --to {recipient}

or, where there is no swaks:

  python3 -c '{one_liner}'
{_encrypted(instance, server)}
{_landing(instance)}
"""


def _encrypted(instance: OpenInstance, server: str) -> str:
    """How to try TLS, if the instance has a certificate and the plugin."""
    has_key = (instance.directory / "config/tls_key.pem").exists()
    if not has_key or "tls" not in instance.plugin_names:
        return ""
    return f"""
It takes messages encrypted too: swaks needs --tls for that. The certificate, which is
signed by nobody but itself, is shown by

  openssl s_client -connect {server} -starttls smtp
"""


def _reach(addresses: tuple[ListenAddress, ...]) -> tuple[str, int]:
    """Where a client on this machine connects to."""
    for address in addresses:
        if not address.path:
            local = address.host in _EVERY_ADDRESS
            return "127.0.0.1" if local else address.host, address.port
    raise CommandError("the instance listens on no IP address; the demo needs one")


def _landing(instance: OpenInstance) -> str:
    if "queue/maildir" not in instance.plugin_names:
        return "It lands where the queue plugin in config/plugins puts it."
    options = load_options(MaildirOptions, instance.files, "queue/maildir").options
    return f"It lands in {instance.directory / options.path / 'new'}"


def _started(reactor: Any, text: str, out: TextIO) -> None:
    """The ports are open: tell, and take over the signals."""
    print(text, file=out, flush=True)

    def stop(number: int, _: FrameType | None) -> None:
        # Twisted's own handler would end the process by the signal, as is right for a
        # daemon; here Ctrl-C is the way to stop. A second one does not wait.
        signal.signal(number, signal.SIG_DFL)
        reactor.callFromThread(reactor.stop)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
