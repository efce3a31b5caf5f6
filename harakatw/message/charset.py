"""
Octets of a named charset to text.

The name comes from a message, so it is looked up in a fixed list and never handed to
the codec registry unseen: Python keeps every unknown name for ever, tries to import a
module by it, and has codecs that are not charsets (C{punycode} takes quadratic time).
"""

from encodings.aliases import aliases
from types import MappingProxyType
from typing import Final

_NAMES = (
    "ascii big5 big5hkscs cp037 cp1006 cp1125 cp1250 cp1251 cp1252 cp1253 cp1254 "
    "cp1255 cp1256 cp1257 cp1258 cp437 cp720 cp737 cp775 cp850 cp852 cp855 cp857 "
    "cp858 cp860 cp861 cp862 cp863 cp864 cp865 cp866 cp869 cp874 cp932 cp949 cp950 "
    "euc_jis_2004 euc_jisx0213 euc_jp gb18030 gbk hp_roman8 hz iso2022_jp "
    "iso2022_jp_1 iso2022_jp_2 iso2022_jp_2004 iso2022_jp_3 iso2022_jp_ext iso2022_kr "
    "iso8859_10 iso8859_11 iso8859_13 iso8859_14 iso8859_15 iso8859_16 iso8859_2 "
    "iso8859_3 iso8859_4 iso8859_5 iso8859_6 iso8859_7 iso8859_8 iso8859_9 johab "
    "koi8_r koi8_t koi8_u kz1048 latin_1 mac_cyrillic mac_greek mac_iceland "
    "mac_latin2 mac_roman mac_turkish ptcp154 tis_620 utf_16 utf_16_be utf_16_le "
    "utf_32 utf_32_be utf_32_le utf_7 utf_8 utf_8_sig"
)
_CODECS: Final = frozenset(_NAMES.split())

_SUPERSETS: Final = MappingProxyType(
    {
        "gb2312": "gb18030",
        "euc_kr": "cp949",
        "shift_jis": "cp932",
        "iso_8859_8_i": "iso8859_8",
        "unicode_1_1_utf_7": "utf_7",
    }
)
"""What is meant by names that mailers use loosely."""


def decode_octets(octets: bytes, charset: str) -> str:
    """
    Make text of octets; never fails.

    @param charset: its name as the message spells it. UTF-8 is taken for an unknown
        one.
    @return: the text, with U+FFFD for what the charset does not define.
    """
    return octets.decode(codec_for(charset), "replace")


def codec_for(charset: str) -> str:
    """
    Python's name for a charset, out of the fixed list.

    @param charset: as for L{decode_octets}.
    """
    name = charset[:40].strip().lower().replace("-", "_")
    name = aliases.get(name, name)
    name = _SUPERSETS.get(name, name)
    return name if name in _CODECS else "utf_8"
