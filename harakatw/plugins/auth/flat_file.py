"""
Users and API keys in C{config/auth_flat_file.ini}.

@see: Haraka row PB02
"""

from collections.abc import Iterable, Mapping
from typing import ClassVar, Final

import attrs
from twisted.internet.defer import Deferred, DeferredSemaphore

from harakatw.auth.passwords import (
    PlainPassword,
    ScramPassword,
    StoredPassword,
    is_api_key,
)
from harakatw.config.problems import Problem
from harakatw.plugin import (
    Address,
    AuthPlugin,
    IConnection,
    IMailHook,
    IThreads,
    Params,
    Verdict,
    doc,
    implementer,
    whole_section,
)
from harakatw.plugins._constrain_sender import SenderRule
from harakatw.plugins.auth._flat_users import Users, read_users
from harakatw.wire.sasl.scram_keys import ScramKeys, fake_scram_keys, make_scram_keys
from harakatw.wire.sasl.text import SASLError, saslprep

FILE: Final = "auth_flat_file.ini"

_SHOWN: Final = f"config/{FILE}"

MAX_AT_ONCE: Final = 4
"""Passwords that are checked at a time: each takes a thread, and 19 MiB for argon2."""

_KNOWN: Final = ("PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS")


def _are_methods(
    instance: object, attribute: "attrs.Attribute[tuple[str, ...]]", value: object
) -> None:
    for word in value if isinstance(value, tuple) else ():
        if word.upper() not in _KNOWN:
            raise ValueError(f"{word!r} is not one of {', '.join(_KNOWN)}")


@attrs.frozen(kw_only=True)
class FlatFileOptions:
    """C{auth_flat_file.ini}."""

    config_file: ClassVar[str] = FILE

    methods: tuple[str, ...] = attrs.field(
        default=(),
        validator=_are_methods,
        metadata=doc(
            f"Mechanisms to offer, of {', '.join(_KNOWN)}. Without it, those that work "
            "for every user.",
            section="core",
        ),
    )
    constrain_sender: bool = attrs.field(
        default=True,
        metadata=doc(
            "May users whose name has a domain write in the name of that domain only?",
            section="core",
        ),
    )
    users: Mapping[str, str] = attrs.field(
        factory=dict,
        repr=False,
        metadata=whole_section(
            "What `haraka hash` printed for each user's password. A password as it is "
            "does, too, and is warned of.",
            section="users",
        ),
    )
    api_keys: Mapping[str, str] = attrs.field(
        factory=dict,
        repr=False,
        metadata=whole_section(
            "What `haraka hash --api-key` printed for each program's key.",
            section="api_keys",
        ),
    )


@implementer(IMailHook)
@attrs.define(eq=False)
class FlatFile(AuthPlugin):
    """
    Knows the users of a file.

    Whether there is a user shows neither in what is said nor in the time that it takes:
    for who is not there, and for who has a password that is quickly checked, another
    user's password is checked in vain.
    """

    options: FlatFileOptions
    threads: IThreads
    _users: Users = attrs.field(init=False, repr=False)
    _senders: SenderRule = attrs.field(init=False, factory=SenderRule, repr=False)
    _turn: DeferredSemaphore = attrs.field(init=False, repr=False)

    @_users.default
    def _read_users(self) -> Users:
        return read_users(self.options.users, self.options.api_keys)

    @_turn.default
    def _make_turn(self) -> DeferredSemaphore:
        return DeferredSemaphore(MAX_AT_ONCE)

    @property
    def problems(self) -> Iterable[Problem]:
        """What the postmaster should look at; L{haraka check} shows it."""
        return (
            Problem(_SHOWN, 0, each.section, each.user, each.what, each.severity)
            for each in self._users.mistakes
        )

    # ---- what is offered -------------------------------------------------------------

    def may_offer(self, connection: IConnection) -> bool:
        """Clients of private networks are trusted not to be listened to."""
        return connection.remote.is_private or super().may_offer(connection)

    def auth_methods(self, connection: IConnection) -> frozenset[str]:
        """Those that work for all, or those that are wanted and work for any."""
        known = self._users
        wanted = frozenset(map(str.upper, self.options.methods))
        fitting = known.some_methods if wanted else known.every_method
        methods = fitting & wanted if wanted else fitting
        if "SCRAM-SHA-256" in fitting and connection.can_bind:
            plus = "SCRAM-SHA-256-PLUS"
            if not wanted or plus in wanted:
                methods |= {plus}
        return methods

    # ---- what is asked ---------------------------------------------------------------

    def check_plain_passwd(
        self, connection: IConnection, user: str, password: str
    ) -> "bool | Deferred[bool]":
        """Is it the password, or the API key?"""
        try:
            user, password = saslprep(user), saslprep(password)
        except SASLError:
            return False
        key = self._users.keys.get(user)
        if key is not None and is_api_key(password, key):
            return True
        stored = self._users.passwords.get(user)
        return self._turn.run(
            self.threads.call, is_password, stored, self._users.decoy, password
        )

    def get_plain_passwd(self, user: str, connection: IConnection) -> str | None:
        """The password, if it is there as it is."""
        stored = self._users.passwords.get(user)
        return stored.text if isinstance(stored, PlainPassword) else None

    def get_scram_keys(
        self, user: str, connection: IConnection
    ) -> "ScramKeys | Deferred[ScramKeys | None] | None":
        """The keys, if they are there or can be made."""
        stored = self._users.passwords.get(user)
        if isinstance(stored, ScramPassword):
            return stored.keys
        if not self._users.has_plain:
            return None
        return self._turn.run(
            self.threads.call, keys_of, stored, self.fake_scram_keys(user)
        )

    def fake_scram_keys(self, user: str) -> ScramKeys:
        """Keys for a user that there is not; they look like the others."""
        return fake_scram_keys(self._users.secret, user, self._users.iterations)

    # ---- what users may do -----------------------------------------------------------

    def hook_mail(
        self, connection: IConnection, sender: Address, params: Params
    ) -> Verdict | None:
        if not self.options.constrain_sender:
            return None
        return self._senders.rule(connection, sender)


def is_password(
    stored: StoredPassword | None, decoy: StoredPassword | None, password: str
) -> bool:
    """
    Is it this one? Slow, and as slow for who is not there.

    @param stored: L{None} if there is no such user.
    @param decoy: what else to check if C{stored} is quick.
    """
    is_right = stored is not None and stored.is_it(password)
    if decoy is not None and (stored is None or not stored.is_slow):
        decoy.is_it(password)
    return is_right


def keys_of(stored: StoredPassword | None, fake: ScramKeys) -> ScramKeys | None:
    """
    Make keys of a password that is there as it is. Slow, and as slow for who is not
    there.

    @param fake: what the client would be told of a user that there is not; it is told
        the same salt of one that there is.
    """
    text = stored.text if isinstance(stored, PlainPassword) else "x"
    keys = make_scram_keys(text, fake.salt, fake.iterations)
    return keys if isinstance(stored, PlainPassword) else None
