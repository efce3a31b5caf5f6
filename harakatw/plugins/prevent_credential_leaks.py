"""
Refuse mail in which a user gives his own login and password away.

@see: Haraka row PB09
"""

import html
import re
from typing import Final

import attrs

from harakatw.plugin import (
    CONT,
    IBody,
    IConnection,
    IDataHook,
    IDataPostHook,
    Verdict,
    deny,
    implementer,
)
from harakatw.plugins._transaction import header_of, transaction_of

LEAK: Final = deny(
    "Credential leak detected: never give out your username and password to anyone!",
    code=550,
    enhanced="5.7.1",
)


@attrs.frozen
class _Credentials:
    """What must not stand in one text together."""

    user: re.Pattern[str]
    password: re.Pattern[str]

    def are_in(self, text: str) -> bool:
        """Are both of them there?"""
        return bool(self.password.search(text) and self.user.search(text))


@implementer(IDataHook, IDataPostHook)
@attrs.frozen
class PreventCredentialLeaks:
    """Looks for what the client logged in with, in the subject and in each text."""

    name: str

    def hook_data(self, connection: IConnection) -> Verdict:
        if _credentials(connection) is not None:
            transaction_of(connection).parse_body = True
        return CONT

    def hook_data_post(self, connection: IConnection) -> Verdict:
        credentials, transaction = _credentials(connection), transaction_of(connection)
        if credentials is None or transaction.body is None:
            return CONT
        subject = header_of(connection).get_decoded("Subject")
        for body in transaction.body.walk():
            if credentials.are_in(f"{subject}\n{_text(body)}"):
                transaction.results.add(self, fail="leak")
                return LEAK
        return CONT


def _text(body: IBody) -> str:
    """The text; of HTML also as it reads, without tags."""
    if not body.is_html:
        return body.bodytext
    read = html.unescape(re.sub(r"<[^<>]*+>", "", body.bodytext))
    return f"{body.bodytext}\n{read}"


def _credentials(connection: IConnection) -> _Credentials | None:
    """What the client logged in with, if its password is known."""
    user = connection.notes.get("auth_user")
    password = connection.notes.get("auth_passwd")
    reveal = getattr(password, "reveal", None)  # kept so that no log can show it
    password = reveal() if callable(reveal) else password
    if not (user and password and isinstance(user, str) and isinstance(password, str)):
        return None
    name, at, domain = user.partition("@")
    pattern = re.escape(name) + (f"(?:{re.escape(at + domain)})?+" if at else "")
    return _Credentials(
        _as_word(pattern, user, re.I), _as_word(re.escape(password), password)
    )


def _as_word(pattern: str, text: str, flags: int = 0) -> re.Pattern[str]:
    """A pattern that is not found within a longer word."""
    before = r"(?<!\w)" if re.match(r"\w", text) else ""
    after = r"(?!\w)" if re.search(r"\w\Z", text) else ""
    return re.compile(before + pattern + after, flags)
