"""
What an attrs validator lets through, in words.

Validators of attrs say what is wrong in the words of a programmer; the attributes read
here are those that their classes have had since they came (attrs 20.3 to 22.2).
"""

import types
from collections.abc import Mapping
from typing import Final

_COMPARISONS: Final[Mapping[str, str]] = types.MappingProxyType(
    {">=": "at least", ">": "more than", "<=": "at most", "<": "less than"}
)


def describe(validator: object) -> str:
    """
    Say what values a validator takes.

    @return: such as C{"at least 100"}; C{""} for none and for one that is not of attrs.
    """
    if hasattr(validator, "exc_types"):
        return ""  # not_(): it lets through what its inner validator does not
    several = getattr(validator, "_validators", None)
    if several is not None:
        return " and ".join(filter(None, map(describe, several)))
    inner = getattr(validator, "validator", None) or getattr(
        validator, "member_validator", None
    )
    return describe(inner) if inner is not None else _describe_one(validator)


def _describe_one(validator: object) -> str:
    if hasattr(validator, "compare_op"):
        operator = validator.compare_op
        bound = getattr(validator, "bound", "")
        return f"{_COMPARISONS.get(operator, operator)} {bound}"
    if hasattr(validator, "options"):
        return f"one of {', '.join(map(str, validator.options))}"
    if hasattr(validator, "max_length"):
        return f"not longer than {validator.max_length}"
    if hasattr(validator, "min_length"):
        return f"not shorter than {validator.min_length}"
    return ""


def complaint(validator: object, value: object, error: Exception) -> str:
    """Say why C{value} was not taken; a validator's own words if it is not of attrs."""
    wanted = describe(validator)
    if wanted:
        return f"{value} is out of range: it must be {wanted}"
    return str(error.args[0]) if error.args else f"{value!r} is not possible"
