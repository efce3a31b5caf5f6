"""
The checksum CRC32c (Castagnoli), which the standard library does not have.

@see: HAProxy's C{proxy-protocol.txt} section 2.2.4; iSCSI and SCTP have the same
"""

from typing import Final

_POLYNOMIAL: Final = 0x82F63B78  # reflected
_ALL_ONES: Final = 0xFFFFFFFF


def _entry(octet: int) -> int:
    for _ in range(8):
        octet = octet >> 1 ^ (_POLYNOMIAL if octet & 1 else 0)
    return octet


_TABLE: Final = tuple(_entry(octet) for octet in range(256))


def crc32c(octets: bytes) -> int:
    """The checksum, of 32 bits."""
    value = _ALL_ONES
    for octet in octets:
        value = value >> 8 ^ _TABLE[(value ^ octet) & 0xFF]
    return value ^ _ALL_ONES
