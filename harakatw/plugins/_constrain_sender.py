"""
Users write in their own domain's name: what plugins for AUTH have in common.

@see: Haraka rows PB01 and PB02 (C{constrain_sender})
"""

from typing import Final

import attrs

from harakatw.auth.state import user_of
from harakatw.plugin import CONT, Address, IConnection, Verdict, deny
from harakatw.plugins._access_lists import Organizations

NOT_YOURS: Final = deny(
    "The sender's domain is not that of the user who logged in",
    code=553,
    enhanced="5.7.1",
)


@attrs.frozen
class SenderRule:
    """
    Compares the sender's domain to the user's, by what belongs to one organization.
    """

    _organizations: Organizations = attrs.field(factory=Organizations)

    def rule(self, connection: IConnection, sender: Address) -> Verdict:
        """
        May the user write in this name?

        A user whose name has no domain may write in any, and so may who has not logged
        in: other plugins judge them. The null path belongs to everybody.
        """
        user = user_of(connection)
        if user is None or "@" not in user or sender.is_null:
            return CONT
        own = self._of(user.rpartition("@")[2])
        return CONT if own == self._of(sender.host) else NOT_YOURS

    def _of(self, domain: str) -> str:
        return self._organizations.of(domain) or domain.lower()
