"""Disposable addresses: mail to user-20261231 reaches user until 2026 ends."""

import re
import time

from harakatw.plugin import CONT, IRcptHook, deny, implementer


@implementer(IRcptHook)
class Disposable:
    def __init__(self, now):
        self.now = now

    def hook_rcpt(self, connection, recipient, params):
        found = re.fullmatch("(.+)-([0-9]{8})", recipient.user)
        if found and found[2] < time.strftime("%Y%m%d", time.localtime(self.now())):
            return deny("This address has expired")
        if found:
            recipient.user = found[1]
        return CONT
