"""
Why there is no way to a domain: the replies, which end in bounces.

@see: RFC 3463 sections 3.2 (5.1.x) and 3.5 (4.4.x), RFC 7505 section 4.2
"""

from typing import Final

from harakatw.reply import Reply, reply

NO_DOMAIN: Final = reply(550, "5.1.2", "The recipient's domain does not exist")
BAD_DOMAIN: Final = reply(550, "5.1.2", "The recipient's domain is none")
NO_HOST: Final = reply(
    550, "5.1.2", "The recipient's domain has neither MX nor address records"
)
NULL_MX: Final = reply(556, "5.1.10", "The recipient's domain takes no mail (null MX)")
NO_MX_ADDRESS: Final = reply(
    550, "5.4.4", "None of the MX hosts of the recipient's domain has an address"
)
NO_GOOD_MX: Final = reply(
    550, "5.4.4", "None of the MX records of the recipient's domain names a host"
)
LOOP: Final = reply(
    550, "5.4.6", "Mail for the recipient's domain would come back to this server"
)
DNS_SILENT: Final = reply(
    451, "4.4.3", "The DNS does not tell now which hosts take mail for the domain"
)
HOP_SILENT: Final = reply(
    451, "4.4.4", "The host that mail is to go through cannot be found now"
)
BAD_HOP: Final = reply(
    451, "4.3.5", "The host that mail is to go through is not set up correctly"
)
DENIED: Final = reply(550, "5.1.2", "Mail for this domain is not delivered from here")
DENIED_FOR_NOW: Final = reply(
    451, "4.4.4", "Mail for this domain is not delivered from here now"
)


def ruled(code: int, enhanced: str, text: str, default: Reply) -> Reply:
    """
    A plugin's words, as far as it has said any.

    @param code: 0 for that of C{default}, as C{enhanced} and C{text} may be empty.
    """
    same_class = not code or str(code)[0] == str(default.code)[0]
    return reply(
        code or default.code,
        enhanced or (default.enhanced if same_class else ""),
        text or default.text,
    )
