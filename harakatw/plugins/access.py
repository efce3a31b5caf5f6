"""
Turn clients, senders and recipients away by lists.

@see: Haraka row PN01
"""

from typing import Any, Final

import attrs
from twisted.logger import Logger

from harakatw.plugin import (
    CONT,
    OK,
    Address,
    IConnectHook,
    IConnection,
    IDataPostHook,
    IEhloHook,
    IHeloHook,
    IMailHook,
    IRcptHook,
    ITransaction,
    Params,
    Verdict,
    deny,
    implementer,
)
from harakatw.plugins._access_lists import (
    DomainList,
    ListPair,
    Organizations,
    is_name,
    make_domain_list,
    make_list,
)
from harakatw.plugins._access_options import (
    BLOCKLIST,
    CLIENTS,
    DOMAINS,
    HELLOS,
    RECIPIENTS,
    SENDERS,
    AccessOptions,
)
from harakatw.plugins._from_field import author_addresses
from harakatw.plugins._patterns import (
    Patterns,
    compile_patterns,
    matches_one,
)
from harakatw.plugins._transaction import header_of, transaction_of

MAX_NOTES: Final = 50
"""Of one kind that are kept of one session."""

UNWELCOME: Final = deny("You are not welcome here.", code=550, enhanced="5.7.1")
BAD_AUTHOR: Final = deny(
    "Email from that domain is not accepted here.", code=550, enhanced="5.7.1"
)


@implementer(IConnectHook, IHeloHook, IEhloHook, IMailHook, IRcptHook, IDataPostHook)
@attrs.frozen
class Access:
    """
    Two plugins in one. The precise lists rule on clients, senders and recipients as
    they are; C{access.domains} rules on whatever belongs to an organization.
    """

    _log = Logger()

    options: AccessOptions
    name: str
    clients: ListPair = attrs.field(init=False, repr=False)
    senders: ListPair = attrs.field(init=False, repr=False)
    recipients: ListPair = attrs.field(init=False, repr=False)
    hellos: Patterns = attrs.field(init=False, repr=False)
    organizations: Organizations | None = attrs.field(init=False, repr=False)
    domains: DomainList = attrs.field(init=False, repr=False)

    @clients.default
    def _client_lists(self) -> ListPair:
        files = self.options
        return ListPair(
            make_list(f"{CLIENTS}.whitelist", files.conn_white, files.conn_white_regex),
            make_list(f"{CLIENTS}.blacklist", files.conn_black, files.conn_black_regex),
        )

    @senders.default
    def _sender_lists(self) -> ListPair:
        files = self.options
        return ListPair(
            make_list(f"{SENDERS}.whitelist", files.mail_white, files.mail_white_regex),
            make_list(f"{SENDERS}.blacklist", files.mail_black, files.mail_black_regex),
            make_list(BLOCKLIST, files.mail_blocklist),
        )

    @recipients.default
    def _recipient_lists(self) -> ListPair:
        files, name = self.options, RECIPIENTS
        return ListPair(
            make_list(f"{name}.whitelist", files.rcpt_white, files.rcpt_white_regex),
            make_list(f"{name}.blacklist", files.rcpt_black, files.rcpt_black_regex),
        )

    @hellos.default
    def _hello_patterns(self) -> Patterns:
        return compile_patterns(self.options.helo_black_regex)

    @organizations.default
    def _organizations(self) -> Organizations | None:
        return Organizations() if self.options.any and self.options.domains else None

    @domains.default
    def _domain_list(self) -> DomainList:
        if self.organizations is None:
            return DomainList(frozenset(), frozenset(), ())
        return make_domain_list(self.options.domains, self.organizations)

    def register(self) -> None:
        """Say which lines of C{access.domains} are of no use."""
        for mistake in self.domains.mistakes:
            self._log.error(
                "{plugin}: {file}: {mistake}",
                plugin=self.name,
                file=DOMAINS,
                mistake=mistake,
            )

    def hook_connect(self, connection: IConnection) -> Verdict:
        verdict = self._client(connection) if self.options.conn else CONT
        if verdict is not CONT:
            return verdict
        return self._anywhere(connection, "connect", connection.remote.host)

    def hook_helo(self, connection: IConnection, host: str) -> Verdict:
        return self._hello(connection, "helo", host)

    def hook_ehlo(self, connection: IConnection, host: str) -> Verdict:
        return self._hello(connection, "ehlo", host)

    def hook_mail(
        self, connection: IConnection, sender: Address, params: Params
    ) -> Verdict:
        verdict = self._sender(connection, sender) if self.options.mail else CONT
        if verdict is not CONT:
            return verdict
        return self._anywhere(connection, "mail", sender.host, sender.address)

    def hook_rcpt(
        self, connection: IConnection, recipient: Address, params: Params
    ) -> Verdict:
        verdict = self._recipient(connection, recipient) if self.options.rcpt else CONT
        if verdict is not CONT:
            return verdict
        return self._anywhere(connection, "rcpt", recipient.host, recipient.address)

    def hook_data_post(self, connection: IConnection) -> Verdict:
        if self.organizations is None or not self.options.data:
            return CONT
        value = ",".join(header_of(connection).get_all("From"))
        authors = tuple(author_addresses(value))
        if not authors:
            missing = "unparsable" if value else "missing"
            fail = f"data({missing}_from)"
            transaction_of(connection).results.add(self, fail=fail)
        for address, domain in authors:
            organization = self.organizations.of(domain)
            if self.domains.blocks(organization, domain, address):
                fail = f"{DOMAINS}({organization})"
                self._note(connection, "fail", fail, blacklist=True, emit=True)
                return BAD_AUTHOR
        self._note(connection, "msg", "unlisted(any)")
        return CONT

    def _client(self, connection: IConnection) -> Verdict:
        ip, host = connection.remote.ip, connection.remote.host
        if file := self.clients.white.client_found_in(ip, host):
            self._note(connection, "pass", file, whitelist=True, emit=True)
            return CONT
        if file := self.clients.black.client_found_in(ip, host):
            self._note(connection, "fail", file, emit=True)
            words = self.options.old_deny_conn or self.options.deny_conn
            return deny(f"{host} [{ip}] {words}", enhanced="5.7.1", disconnect=True)
        self._note(connection, "msg", "unlisted(conn)")
        return CONT

    def _hello(self, connection: IConnection, verb: str, host: str) -> Verdict:
        if self.options.helo:
            if matches_one(self.hellos, host):
                self._note(connection, "fail", HELLOS, emit=True)
                return deny(f"{host} {self.options.deny_helo}", enhanced="5.7.1")
            self._note(connection, "msg", "unlisted(helo)")
        return self._anywhere(connection, verb, host)

    def _sender(self, connection: IConnection, sender: Address) -> Verdict:
        transaction = transaction_of(connection)
        if sender.is_null:
            transaction.results.add(self, skip="null sender", emit=True)
            return CONT
        words = self.options.old_deny_mail or self.options.deny_mail
        return self._listed(transaction, self.senders, sender, "mail", words, CONT)

    def _recipient(self, connection: IConnection, recipient: Address) -> Verdict:
        words = self.options.old_deny_rcpt or self.options.deny_rcpt
        welcome = OK if self.options.accept else CONT
        transaction = transaction_of(connection)
        return self._listed(
            transaction, self.recipients, recipient, "rcpt", words, welcome
        )

    def _listed(
        self,
        transaction: ITransaction,
        lists: ListPair,
        address: Address,
        hook: str,
        words: str,
        welcome: Verdict,
    ) -> Verdict:
        """
        Look one address up.

        @param words: what the client reads if it is blacklisted.
        @param welcome: the verdict if it is whitelisted.
        """
        text = address.address
        if file := lists.white.found_in(text):
            transaction.results.add(self, passed=file, emit=True)
            return welcome
        if file := lists.blacklisted(text):
            transaction.results.add(self, fail=file, emit=True)
            return deny(f"{text} {words}", enhanced="5.7.1")
        transaction.results.add(self, msg=f"unlisted({hook})")
        return CONT

    def _anywhere(
        self, connection: IConnection, hook: str, host: str, address: str = ""
    ) -> Verdict:
        """Look a name up in C{access.domains}."""
        if self.organizations is None or not is_name(host):
            return CONT
        organization = self.organizations.of(host)
        domain, mailbox = host.rstrip(".").lower(), address.lower()
        if not organization:
            if "." not in domain:
                fail = f"invalid domain: {host}"
                self._note(connection, "fail", fail, emit=True)
        elif self.domains.allows(organization, domain, mailbox):
            passed = f"{hook}:{DOMAINS}"
            self._note(connection, "pass", passed, whitelist=True, emit=True)
        elif self.domains.blocks(organization, domain, mailbox):
            fail = f"{DOMAINS}({organization})"
            self._note(connection, "fail", fail, blacklist=True, emit=True)
            return UNWELCOME
        else:
            self._note(connection, "msg", f"unlisted({hook}:any)")
        return CONT

    def _note(
        self, connection: IConnection, kind: str, text: str, **more: bool
    ) -> None:
        """
        Store a result of the session, once. A session may have messages without end, so
        there is a limit to what is stored of it.
        """
        known = connection.results.get(self)[kind]
        if text not in known and len(known) < MAX_NOTES:
            news: dict[str, Any] = {kind: text, **more}
            connection.results.add(self, **news)
