"""
The class from which plugins derive that know users.

@see: Haraka row PB01 (C{auth/auth_base})
"""

import hmac
import secrets

import attrs
from zope.interface import implementer

from harakatw.auth.checks import settled
from harakatw.auth.command import authenticate
from harakatw.auth.offers import Offer, announce
from harakatw.auth.options import AuthOptions
from harakatw.interfaces.hooks import ICapabilitiesHook, IUnrecognizedCommandHook
from harakatw.interfaces.ruling import Ruling
from harakatw.interfaces.session import IConnection
from harakatw.verdict import CONT, Verdict
from harakatw.wire.sasl.scram_keys import ScramKeys, fake_scram_keys


@implementer(ICapabilitiesHook, IUnrecognizedCommandHook)
@attrs.define(eq=False)
class AuthPlugin:
    """
    Offers AUTH and holds its exchanges; a plugin derives from it and says what it knows
    of users, by one of these methods or several:

      - L{check_plain_passwd}: is this the password? Offers PLAIN and LOGIN.
      - L{get_plain_passwd}: what is the password? Offers CRAM-MD5 besides.
      - L{get_scram_keys}: what was made of the password? Offers SCRAM-SHA-256, and
        SCRAM-SHA-256-PLUS where the connection has something to bind to.
      - L{check_token}: whose token is this? Offers OAUTHBEARER and XOAUTH2.
      - L{map_certificate}: whose certificate is this? Offers EXTERNAL.

    Each may return its answer, or a Deferred or coroutine of it. What blocks belongs
    into a thread. One that cannot tell now raises
    L{harakatw.errors.TemporaryFailure}: other plugins are asked, and if none knows the
    user the client is to try again later (454). One that raises
    L{harakatw.errors.ProtocolError} has its reply given at once.

    Where several plugins offer a mechanism they are asked in the order of
    C{config/plugins}, until one knows the user.

    After it the connection may relay, the notes C{auth_user} and C{auth_method} are
    set, C{auth_passwd} too where the client showed its password (a
    L{harakatw.secret.Secret}), and so are the results of C{auth}.

    @ivar name: the plugin's, as in C{config/plugins}.
    @ivar auth: C{auth.ini}.
    """

    name: str
    auth: AuthOptions = attrs.field(factory=AuthOptions, kw_only=True, repr=False)
    _secret: bytes = attrs.field(
        factory=lambda: secrets.token_bytes(32), init=False, repr=False
    )

    # ---- to be overridden ------------------------------------------------------------

    def check_plain_passwd(
        self, connection: IConnection, user: str, password: str
    ) -> object:
        """
        Is it the user's password? Without an override it is compared to what
        L{get_plain_passwd} returns.

        An unknown user should take as long as a known one.

        @param user: not empty and without control characters, but as the client sent
            it: it may be C{*)(uid=*}.
        @param password: likewise.
        @return: true or false; or the user's own name, where that is another than the
            client sent: who logs in is known by it from then on.
        """
        return self._compare(connection, user, password)

    def get_plain_passwd(self, user: str, connection: IConnection) -> object:
        """
        What is the user's password?

        @param user: as for L{check_plain_passwd}.
        @return: the password as text; L{None} if there is no such user.
        """
        return None

    def get_scram_keys(self, user: str, connection: IConnection) -> object:
        """
        What was made of the user's password?

        @param user: prepared by SASLprep.
        @return: L{ScramKeys}; L{None} if there is no such user.
        """
        return None

    def check_token(self, connection: IConnection, user: str, token: str) -> object:
        """
        Whose token is this?

        @param user: who the client says to be; C{""} if it leaves that to the token.
        @return: the user; L{None} if the token is good for nobody. If C{user} is
            another one, the client is refused.
        """
        return None

    def map_certificate(self, connection: IConnection, user: str) -> object:
        """
        Whose is the certificate that the client showed, C{connection.tls.peer}?

        @param user: who the client wants to be; C{""} if it leaves that to the
            certificate.
        @return: the user; L{None} if it is nobody's. If C{user} is another one, the
            client is refused.
        """
        return None

    @property
    def token_scope(self) -> str:
        """What a token should be good for, told to a client whose token is not."""
        return ""

    def may_offer(self, connection: IConnection) -> bool:
        """
        Does this connection look safe enough? By default only an encrypted one does,
        unless C{auth.ini} says otherwise.
        """
        return connection.tls.enabled or not self.auth.require_tls

    def auth_methods(self, connection: IConnection) -> frozenset[str]:
        """Which mechanisms to offer: those whose methods the plugin overrides."""
        methods: set[str] = set()
        if self._overrides("get_plain_passwd"):
            methods |= {"PLAIN", "LOGIN", "CRAM-MD5"}
        if self._overrides("check_plain_passwd"):
            methods |= {"PLAIN", "LOGIN"}
        if self._overrides("get_scram_keys"):
            methods |= scram_methods(connection)
        if self._overrides("check_token"):
            methods |= {"OAUTHBEARER", "XOAUTH2"}
        if self._overrides("map_certificate") and connection.tls.verified:
            methods.add("EXTERNAL")
        return frozenset(methods)

    def fake_scram_keys(self, user: str) -> ScramKeys:
        """
        Keys for a user that there is not, so that nobody can tell by them.
        """
        return fake_scram_keys(self._secret, user)

    # ---- hooks -----------------------------------------------------------------------

    def hook_capabilities(self, connection: IConnection) -> Verdict:
        """Announce AUTH."""
        methods = frozenset(self.auth_methods(connection))
        announce(connection, Offer(self, methods, not self.may_offer(connection)))
        return CONT

    def hook_unrecognized_command(
        self, connection: IConnection, verb: str, argument: str
    ) -> Ruling:
        """Answer AUTH, for all plugins of this kind."""
        if verb != "AUTH":
            return CONT
        return authenticate(connection, argument, self.auth)

    # ---- parts -----------------------------------------------------------------------

    def _overrides(self, method: str) -> bool:
        return getattr(type(self), method) is not getattr(AuthPlugin, method)

    async def _compare(self, connection: IConnection, user: str, password: str) -> bool:
        known = await settled(self.get_plain_passwd(user, connection))
        other = secrets.token_hex(16) if known is None else str(known)
        is_same = hmac.compare_digest(other.encode(), password.encode())
        return known is not None and is_same


def scram_methods(connection: IConnection) -> frozenset[str]:
    """The kinds of SCRAM that a connection allows."""
    names = {"SCRAM-SHA-256"}
    if connection.can_bind:
        names.add("SCRAM-SHA-256-PLUS")
    return frozenset(names)
