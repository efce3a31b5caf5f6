"""
Accept mail for the domains in C{config/host_list}.

@see: Haraka rows PB21, PB22 and CF37 to CF39
"""

import attrs
from twisted.logger import Logger

from harakatw.plugin import (
    CONT,
    OK,
    Address,
    IConnection,
    IMailHook,
    IRcptHook,
    Params,
    Verdict,
    deny,
    implementer,
)
from harakatw.plugins._host_list import HostList, HostListOptions, make_host_list
from harakatw.plugins._transaction import transaction_of


@implementer(IMailHook, IRcptHook)
@attrs.frozen
class InHostList:
    """
    Accepts recipients in our domains, and any from our own senders who may relay.

    The outcomes of ordinary mail are not stored as results, since most messages would
    carry nothing else: a sender from elsewhere, one of ours (the note C{local_sender}
    tells), and a recipient of ours.
    """

    _log = Logger()

    options: HostListOptions
    name: str
    hosts: HostList = attrs.field(init=False, repr=False)

    @hosts.default
    def _read_lists(self) -> HostList:
        return make_host_list(self.options)

    def register(self) -> None:
        """Say which lines of the lists are of no use."""
        for mistake in self.hosts.mistakes:
            self._log.error("{plugin}: {mistake}", plugin=self.name, mistake=mistake)

    def hook_mail(
        self, connection: IConnection, sender: Address, params: Params
    ) -> Verdict:
        if self.hosts.contains(sender.host):
            return self._local_sender(connection, sender)
        if sender.is_null:
            transaction_of(connection).results.add(self, skip="mail_from.null")
        return CONT

    def hook_rcpt(
        self, connection: IConnection, recipient: Address, params: Params
    ) -> Verdict:
        if self.hosts.contains(recipient.host):
            return OK
        return self._not_ours(connection, recipient)

    def _local_sender(self, connection: IConnection, sender: Address) -> Verdict:
        transaction = transaction_of(connection)
        if self.options.anti_spoof and not connection.relaying:
            transaction.results.add(self, fail="mail_from.anti_spoof")
            why = f"Mail from domain '{sender.host}' is not allowed from your host"
            return deny(why, code=550, enhanced="5.7.1")
        transaction.notes.set("local_sender", True)
        return CONT

    def _not_ours(self, connection: IConnection, recipient: Address) -> Verdict:
        transaction = transaction_of(connection)
        if not recipient.host:  # the bare postmaster: RFC 5321 section 4.1.1.3
            return OK if self.hosts else CONT
        if connection.relaying and transaction.notes.get("local_sender"):
            transaction.results.add(self, passed="relaying local_sender")
            return OK
        transaction.results.add(self, msg="rcpt!local")
        return CONT
