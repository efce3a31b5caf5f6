"""
What a plugin author imports.

A plugin is a class that says which hooks it stands on; one file, one plugin, and the
file's place is its name. See C{docs/tutorial.md}.
"""

from attrs.validators import ge, gt, in_, le, lt
from zope.interface import implementer

from harakatw.address import Address
from harakatw.auth.passwords import hash_password, parse_password
from harakatw.auth.plugin import AuthPlugin
from harakatw.config.options import (
    data_file,
    doc,
    json_file,
    list_file,
    other_sections,
    value_file,
    whole_section,
)
from harakatw.errors import ProtocolError, TemporaryFailure
from harakatw.interfaces.header import IHeader
from harakatw.interfaces.hooks import (
    ICapabilitiesHook,
    IConnectHook,
    IConnectInitHook,
    IDataHook,
    IDataPostHook,
    IDenyHook,
    IDisconnectHook,
    IEhloHook,
    IHeloHook,
    ILookupRDNSHook,
    IMailHook,
    IMaxDataExceededHook,
    INoopHook,
    IQueueHook,
    IQueueOkHook,
    IQueueOutboundHook,
    IQuitHook,
    IRcptHook,
    IRcptOkHook,
    IResetTransactionHook,
    IRsetHook,
    IUnrecognizedCommandHook,
    IVrfyHook,
)
from harakatw.interfaces.lifecycle_hooks import (
    IInitChildHook,
    IInitHTTPHook,
    IInitMasterHook,
    IInitWSSHook,
    ILogHook,
)
from harakatw.interfaces.marks import on_hook
from harakatw.interfaces.mime import IAttachmentStream, IBody
from harakatw.interfaces.outbound_hooks import (
    IBounceHook,
    IDeferredHook,
    IDeliveredHook,
    IGetMXHook,
    IHMail,
    IPreSendTransEmailHook,
    ISendEmailHook,
)
from harakatw.interfaces.ruling import Answer, Denial, Ruling
from harakatw.interfaces.services import IHostLogin, IOutbound, IServer, IThreads
from harakatw.interfaces.session import IConnection, ITransaction
from harakatw.new_client import NewClient
from harakatw.reply import Reply, reply
from harakatw.secret import Secret
from harakatw.verdict import (
    CONT,
    DENY,
    DENYDISCONNECT,
    DENYSOFT,
    DENYSOFTDISCONNECT,
    DISCONNECT,
    OK,
    STOP,
    Kind,
    Verdict,
    delay,
    deny,
    deny_soft,
    next_hook,
    ok,
)
from harakatw.wire.params import Params
from harakatw.wire.sasl.scram_keys import ScramKeys

__all__ = [
    "CONT",
    "DENY",
    "DENYDISCONNECT",
    "DENYSOFT",
    "DENYSOFTDISCONNECT",
    "DISCONNECT",
    "OK",
    "STOP",
    "Address",
    "Answer",
    "AuthPlugin",
    "Denial",
    "IAttachmentStream",
    "IBody",
    "IBounceHook",
    "ICapabilitiesHook",
    "IConnectHook",
    "IConnectInitHook",
    "IConnection",
    "IDataHook",
    "IDataPostHook",
    "IDeferredHook",
    "IDeliveredHook",
    "IDenyHook",
    "IDisconnectHook",
    "IEhloHook",
    "IGetMXHook",
    "IHMail",
    "IHeader",
    "IHeloHook",
    "IHostLogin",
    "IInitChildHook",
    "IInitHTTPHook",
    "IInitMasterHook",
    "IInitWSSHook",
    "ILogHook",
    "ILookupRDNSHook",
    "IMailHook",
    "IMaxDataExceededHook",
    "INoopHook",
    "IOutbound",
    "IPreSendTransEmailHook",
    "IQueueHook",
    "IQueueOkHook",
    "IQueueOutboundHook",
    "IQuitHook",
    "IRcptHook",
    "IRcptOkHook",
    "IResetTransactionHook",
    "IRsetHook",
    "ISendEmailHook",
    "IServer",
    "IThreads",
    "ITransaction",
    "IUnrecognizedCommandHook",
    "IVrfyHook",
    "Kind",
    "NewClient",
    "Params",
    "ProtocolError",
    "Reply",
    "Ruling",
    "ScramKeys",
    "Secret",
    "TemporaryFailure",
    "Verdict",
    "data_file",
    "delay",
    "deny",
    "deny_soft",
    "doc",
    "ge",
    "gt",
    "hash_password",
    "implementer",
    "in_",
    "json_file",
    "le",
    "list_file",
    "lt",
    "next_hook",
    "ok",
    "on_hook",
    "other_sections",
    "parse_password",
    "reply",
    "value_file",
    "whole_section",
]
