"""The users of a shop log in with the passwords that they have there."""

import sqlite3
from contextlib import closing

import attrs

from harakatw.plugin import (
    AuthPlugin,
    IThreads,
    TemporaryFailure,
    doc,
    parse_password,
    reply,
)

NOBODYS = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdCBvZiBub2Jv"
NOBODYS += "ZHkhIQ$guFDMN3y8jRWO/O7cT9sl0GRTwal6Qz/M6F/MTNcemA"


@attrs.frozen(kw_only=True)
class ShopOptions:
    database: str = attrs.field(
        default="/var/lib/shop/users.db", metadata=doc("The shop's database.")
    )


@attrs.define(eq=False)
class ShopUsers(AuthPlugin):
    options: ShopOptions
    threads: IThreads

    def check_plain_passwd(self, connection, user, password):
        return self.threads.call(self.is_password, user, password)

    def is_password(self, user, password):
        try:
            with closing(sqlite3.connect(self.options.database)) as database:
                query = "SELECT hash FROM users WHERE name = ?"
                found = database.execute(query, (user,)).fetchone()
        except sqlite3.Error as error:
            later = reply(454, "4.3.0", "Users cannot be looked up now")
            raise TemporaryFailure(later, error=error) from error
        is_right = parse_password(found[0] if found else NOBODYS).is_it(password)
        return is_right and found is not None
