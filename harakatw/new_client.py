"""Whom a session is to go on with: another client, on the same connection."""

import attrs


@attrs.frozen(kw_only=True)
class NewClient:
    """
    The client that somebody says is behind a connection.

    @ivar ip: its address.
    @ivar port: its port, 0 if unknown.
    @ivar name: its name by reverse look-up, or C{NXDOMAIN}, C{DNSERROR} or C{Unknown};
        C{""} to look it up.
    @ivar hello_verb: with what it greeted, C{HELO} or C{EHLO}; C{""} if unknown.
    @ivar hello_host: what it called itself then.
    @ivar login: as whom it has logged in; C{""} if it has not.
    @ivar local_ip: where it connected to.
    @ivar local_port: likewise.
    @ivar said_by: the address of whoever says so.
    """

    ip: str
    port: int = 0
    name: str = ""
    hello_verb: str = ""
    hello_host: str = ""
    login: str = ""
    local_ip: str = ""
    local_port: int = 0
    said_by: str = ""
