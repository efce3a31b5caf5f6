"""
Makes C{twistd haraka} known to Twisted.

C{twistd} loads this file to list its commands, so it names L{harakatw.tap} by a string
and imports nothing of ours.
"""

from twisted.application.service import ServiceMaker

haraka = ServiceMaker(
    "haraka",
    "harakatw.tap",
    "Haraka, a plugin-based SMTP server",
    "haraka",
)
