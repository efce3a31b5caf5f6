"""A server whose plugins look at each message, and change it."""

from collections.abc import Mapping
from types import MappingProxyType

PLUGIN = '''"""Looks at all parts, and adds a banner."""

import attrs

from harakatw.plugin import CONT, IDataHook, IDataPostHook, IConnection, implementer


@implementer(IDataHook, IDataPostHook)
@attrs.frozen
class Look:
    def hook_data(self, connection: IConnection):
        transaction = connection.transaction
        transaction.attachment_hooks(self.begin)
        transaction.set_banner("The banner")
        transaction.add_body_filter("application/", lambda *call: call[2])
        return CONT

    def begin(self, ct, filename, body, stream) -> None:
        stream.on_data(lambda octets: None)

    def hook_data_post(self, connection: IConnection):
        for body in connection.transaction.body.walk():
            body.header.get_decoded("Subject"), body.filename, len(body.bodytext)
        return CONT
'''

LOOKING: Mapping[str, str] = MappingProxyType(
    {
        "plugins/look.py": PLUGIN,
        "config/plugins": "look\nrcpt_to.in_host_list\nqueue/maildir\n",
    }
)
"""Files of such an instance, besides the usual ones."""
