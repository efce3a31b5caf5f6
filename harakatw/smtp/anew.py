"""
Begin again as another client, on the same connection.

What the first one said and was is forgotten: greeting, login, transaction, notes,
results, and the right to relay. Only the connection stays, with its encryption. Plugins
see one client leave and another come, so what they count comes out even.

@see: Postfix's C{XCLIENT_README}; Haraka rows CO01, CO02 and PB29
"""

from typing import Final
from uuid import uuid4

from harakatw.new_client import NewClient
from harakatw.smtp.connection import TLS, Hello, Local, Proxy, Remote
from harakatw.smtp.greeting import begin
from harakatw.smtp.records import log_summary
from harakatw.smtp.session import Session
from harakatw.verdict import Verdict
from harakatw.wire.extensions import NOTHING
from harakatw.wire.session import Phase

TYPE: Final = "xclient"
"""How a client became known to be behind the connection."""


def begin_again(session: Session, client: NewClient) -> None:
    """
    Go on as if C{client} had just connected; the greeting, or a refusal, is the reply.
    """
    session.end_transaction(_ended, client)


def _ended(session: Session, _: object, client: NewClient) -> None:
    session.between_clients = True
    session.ask("disconnect", (), _left, client)


def _left(session: Session, _: Verdict, client: NewClient) -> None:
    """The first client's last hooks are over."""
    if session.phase is Phase.CLOSED:
        return  # the connection has gone with it
    if session.context.log.info and session.connection.tran_count:
        log_summary(session)
    session.between_clients = False
    _forget(session)
    _introduce(session, client)
    refusal = session.counts_as(client.ip)
    if refusal is not None:
        session.reply(refusal)
        session.close()
        return
    begin(session)


def _forget(session: Session) -> None:
    """What the session itself knows of its client."""
    session.phase = Phase.CONNECTING
    session.refusal = None
    session.offer = NOTHING
    session.trace_from = ""
    session.trace_protocol = ""


def _introduce(session: Session, client: NewClient) -> None:
    """What plugins see of the new client, before they are asked about it."""
    connection = session.connection
    remote = Remote(client.ip, client.port, client.name, login=client.login)
    name = connection.local.host
    connection.start_over(str(uuid4()).upper(), remote, session.context.clock.seconds())
    connection.proxy = Proxy(True, client.said_by, TYPE, "")
    if connection.tls.enabled:  # the certificate was not this client's
        connection.tls = tls = TLS(
            enabled=True,
            cipher=connection.tls.cipher,
            version=connection.tls.version,
            server_name=connection.tls.server_name,
        )
        connection.notes.set("tls", tls.as_haraka_has_it())
    if client.local_ip:
        connection.local = Local(client.local_ip, client.local_port, name)
    if client.hello_host:
        connection.hello = Hello(client.hello_verb, client.hello_host)
    if client.login:
        connection.notes.set("auth_user", client.login)
        connection.relaying = True
