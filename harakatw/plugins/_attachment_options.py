"""
What C{attachment.ini} and the lists of the C{attachment} plugin may say.

@see: Haraka row PN04
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar, Final

import attrs

from harakatw.plugin import doc, ge, gt, list_file

_ARCHIVES: Final = ("zip", "tar", "tgz", "taz", "z", "gz", "rar", "7z")
_BAD: Final = ("exe", "com", "pif", "bat", "scr", "vbs", "cmd", "cpl", "dll")


def _patterns(name: str, what: str) -> tuple[str, ...]:
    field: tuple[str, ...] = attrs.field(
        default=(),
        metadata=list_file(
            f"attachment.{name}.regex",
            f"Patterns of {what} to refuse; found anywhere in it, in any case.",
        ),
    )
    return field


@attrs.frozen(kw_only=True)
class AttachmentOptions:
    """C{attachment.ini}, and the lists of patterns."""

    unsupported: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "main.archive_extensions": "it is [archive] extensions",
            "main.archive_extns": "it is [archive] extensions",
            "main.archive_max_depth": "it is [archive] max_depth",
            "main.allow_encrypted_archives": "it is [archive] allow_encrypted",
        }
    )

    disallowed_extensions: tuple[str, ...] = attrs.field(
        default=_BAD,
        metadata=doc("Extensions of files to refuse, in archives too."),
    )
    timeout: float = attrs.field(
        default=30,
        validator=gt(0),
        metadata=doc("How long looking into one archive may take.", unit="seconds"),
    )
    archive_extensions: tuple[str, ...] = attrs.field(
        default=_ARCHIVES,
        metadata=doc(
            "Extensions of files that are looked into.",
            section="archive",
            key="extensions",
        ),
    )
    max_depth: int = attrs.field(
        default=5,
        validator=ge(1),
        metadata=doc(
            "Archives within each other that are opened; a message with more is "
            "refused.",
            unit="archives",
            section="archive",
        ),
    )
    allow_encrypted: bool = attrs.field(
        default=False,
        metadata=doc(
            "Take archives that cannot be looked into for a password?",
            section="archive",
        ),
    )
    allow_unreadable: bool = attrs.field(
        default=True,  # as in Haraka
        metadata=doc(
            "Take archives that are damaged, or of a format that cannot be read?",
            section="archive",
        ),
    )
    max_files: int = attrs.field(
        default=10_000,
        validator=ge(1),
        metadata=doc(
            "Files in one archive, those in archives within counted; a message with "
            "more is refused.",
            unit="files",
            section="archive",
        ),
    )
    max_bytes: int = attrs.field(
        default=100 * 1024 * 1024,
        validator=ge(1024),
        metadata=doc(
            "What may be unpacked to look into one archive; a message with more is "
            "refused.",
            unit="octets",
            section="archive",
        ),
    )
    filename_regex: tuple[str, ...] = _patterns("filename", "an attachment's name")
    archive_regex: tuple[str, ...] = _patterns(
        "archive.filename", "a file's name in an archive"
    )
    ctype_regex: tuple[str, ...] = _patterns("ctype", "a part's content type")
