"""ZQL's words: `Token`, `Kind` and `tokens`, which cuts a text into them."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator
from dataclasses import dataclass

from zstack_appliance.kernel.errors import InvalidArgument


class Kind(enum.Enum):
    """What a token is."""

    NAME = "name"
    TEXT = "text"
    NUMBER = "number"
    SIGN = "sign"
    END = "end"


@dataclass(frozen=True, slots=True)
class Token:
    """One word of a text.

    Args:
        kind: what it is.
        text: as written; of a text in quotes, what is between them.
        at: where it begins, in characters from 0.
    """

    kind: Kind
    text: str
    at: int

    @property
    def word(self) -> str:
        """A name in lower case, to be compared with keywords; of anything else, the sign itself or nothing."""
        if self.kind is Kind.NAME:
            return self.text.lower()
        return self.text if self.kind is Kind.SIGN else ""


_TOKEN = re.compile(
    r"""
      (?P<blank>  \s+ )
    | (?P<text>   '[^']*' | "[^"]*" )
    | (?P<number> -?[0-9]+(?:\.[0-9]+)? (?![A-Za-z0-9_]) )
    | (?P<name>   [A-Za-z0-9_]+ )
    | (?P<sign>   != | >= | <= | [=<>().,;{}] )
    """,
    re.VERBOSE,
)


def tokens(text: str) -> Iterator[Token]:
    """The words of a text, and `Kind.END` behind the last one.

    A text in quotes has no escapes, as in ZStack: one kind of quote may stand between two of the other.

    Raises:
        InvalidArgument: a character begins no word.
    """
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            hint = "; close the quotes" if text[at] in "'\"" else ""
            raise InvalidArgument(f"zql cannot be read at character {at + 1}: [{text[at : at + 20]}]{hint}")
        if match.lastgroup != "blank":
            kind = Kind[str(match.lastgroup).upper()]
            yield Token(kind, match.group()[1:-1] if kind is Kind.TEXT else match.group(), at)
        at = match.end()
    yield Token(Kind.END, "", at)
