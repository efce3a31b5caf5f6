"""A plugin for tests that knows a few users and tokens."""

from collections.abc import Mapping
from typing import Any

import attrs

from harakatw.auth.options import AuthOptions
from harakatw.plugin import AuthPlugin, IConnection


@attrs.define(eq=False)
class FixedUsers(AuthPlugin):
    """
    Knows passwords and tokens, and offers AUTH without TLS.

    @ivar users: passwords by user.
    @ivar tokens: users by token.
    """

    users: Mapping[str, str] = attrs.field(factory=dict)
    tokens: Mapping[str, str] = attrs.field(factory=dict)

    def get_plain_passwd(self, user: str, connection: IConnection) -> Any:
        """The password."""
        return self.users.get(user)

    def check_token(self, connection: IConnection, user: str, token: str) -> Any:
        """Whose token it is."""
        return self.tokens.get(token)

    def auth_methods(self, connection: IConnection) -> frozenset[str]:
        """Only what there is anything for."""
        methods = set[str]()
        if self.users:
            methods |= {"PLAIN", "LOGIN", "CRAM-MD5"}
        if self.tokens:
            methods |= {"OAUTHBEARER", "XOAUTH2"}
        return frozenset(methods)


def fixed_users(
    users: Mapping[str, str], tokens: Mapping[str, str] | None = None
) -> FixedUsers:
    """The plugin with these."""
    options = AuthOptions(require_tls=False)
    return FixedUsers("users", auth=options, users=users, tokens=tokens or {})
