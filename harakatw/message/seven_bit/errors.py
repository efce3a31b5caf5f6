"""What cannot be converted."""

from harakatw.errors import HarakaError


class UnconvertibleError(HarakaError):
    """
    A message cannot be sent as 7bit without doing it harm; the text says what is in the
    way, without anything that the message itself says.
    """
