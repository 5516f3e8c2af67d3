"""One comparison as SQL, by the type of the field: which operators it takes and how its values read.

Primitives: `Shape` (how a field compares), `operators_of` and `compare`. Every value travels as a binding,
never inside the text.
"""

from __future__ import annotations

import enum
import math
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Literal, get_args, get_origin

import msgspec

from zstack_appliance.kernel.conditions import Op
from zstack_appliance.kernel.schema import TIMESTAMP, Field
from zstack_appliance.kernel.sql import LISTED, Bound, Statement

MAX_PATTERN = 2048
"""Bytes in a LIKE pattern: the longest text column. SQLite by itself refuses more than 50,000."""


class Shape(enum.Enum):
    """How a field compares."""

    TEXT = "text"
    INTEGER = "whole number"
    REAL = "number"
    BOOLEAN = "true or false"
    TIME = "date"
    JSON = "list, structure or bytes"


_EQUALITY = frozenset({Op.EQ, Op.NE, Op.IN, Op.NOT_IN, Op.IS_NULL, Op.NOT_NULL})
_ORDER = frozenset({Op.GT, Op.GE, Op.LT, Op.LE})
_PATTERN = frozenset({Op.LIKE, Op.NOT_LIKE})

_OPERATORS = {
    Shape.TEXT: _EQUALITY | _ORDER | _PATTERN,
    Shape.INTEGER: _EQUALITY | _ORDER | _PATTERN,
    Shape.REAL: _EQUALITY | _ORDER,
    Shape.BOOLEAN: _EQUALITY,
    Shape.TIME: _EQUALITY | _ORDER,
    Shape.JSON: frozenset({Op.IS_NULL, Op.NOT_NULL}),
}


def shape_of(field: Field) -> Shape:
    """How a field compares, by its declared type."""
    if field.marked(TIMESTAMP):
        return Shape.TIME
    if field.is_json or field.type is bytes:
        return Shape.JSON
    return {bool: Shape.BOOLEAN, int: Shape.INTEGER, float: Shape.REAL}.get(_stored_type(field), Shape.TEXT)


def _stored_type(field: Field) -> Any:
    if field.enum is not None:
        return type(next(iter(field.enum)).value)
    return type(get_args(field.type)[0]) if get_origin(field.type) is Literal else field.type


def operators_of(field: Field) -> tuple[Op, ...]:
    """The operators that a field takes, in `Op`'s order."""
    allowed = _OPERATORS[shape_of(field)]
    return tuple(op for op in Op if op in allowed)


def compare(field: Field, column: str, op: Op, value: str | tuple[str, ...], zone: tzinfo | None) -> Statement:
    """The condition ``column op value``; a null column fulfils none but ``is null``, as in SQL.

    Args:
        field: whose type decides how the value reads.
        column: SQL of the column.
        op: the operator.
        value: a tuple for operators that take a list.
        zone: the time zone of dates that name none; None is the machine's.

    Raises:
        ValueError: the field does not take the operator, or the value does not read as its type; the text,
            to be put behind the field's name, says what would.
    """
    shape = shape_of(field)
    if op not in _OPERATORS[shape]:
        words = ", ".join(allowed.value for allowed in operators_of(field))
        raise ValueError(f"does not take the operator {op.value}: it holds a {shape.value}; use one of {words}")
    if not op.takes_value:
        return Statement(f"{column} {op.value.upper()}")
    texts = value if isinstance(value, tuple) else (value,)
    if shape is Shape.TIME:
        return _compare_time(column, op, [read_moment(text, zone) for text in texts])
    if op.takes_list:
        # One JSON binding instead of many: the SQL text stays the same for any length, and no length is
        # too long for SQLite's limit on bindings.
        listed = msgspec.json.encode([_READERS[shape](text) for text in texts]).decode()
        found = f"{column} {op.value.upper()} {LISTED}"
        # SQLite says that null is not in an empty list.
        return Statement(f"({column} IS NOT NULL AND {found})" if op.negative else found, (listed,))
    if op.positive is Op.LIKE:
        return Statement(f"{column} {op.value.upper()} ? ESCAPE '\\'", (_read_pattern(texts[0]),))
    return Statement(f"{column} {op.value} ?", (_READERS[shape](texts[0]),))


_BY_SPAN = {
    Op.GT: ("> ?", (1,)),
    Op.GE: (">= ?", (0,)),
    Op.LT: ("< ?", (0,)),
    Op.LE: ("<= ?", (1,)),
    Op.EQ: ("BETWEEN ? AND ?", (0, 1)),
    Op.NE: ("NOT BETWEEN ? AND ?", (0, 1)),
}
"""How a column compares with a span of time, and which of its ends (first, last) are bound."""

_IN_SPANS = "(SELECT 1 FROM json_each(?) WHERE {0} BETWEEN json_extract(value, '$[0]') AND json_extract(value, '$[1]'))"


def _compare_time(column: str, op: Op, spans: list[tuple[int, int]]) -> Statement:
    if op in _BY_SPAN:
        sql, ends = _BY_SPAN[op]
        return Statement(f"{column} {sql}", tuple(spans[0][end] for end in ends))
    # A chain of OR would meet SQLite's limit on the depth of an expression; rows of a JSON list do not.
    exists = "NOT EXISTS" if op.negative else "EXISTS"
    listed = msgspec.json.encode(spans).decode()
    return Statement(f"({column} IS NOT NULL AND {exists} {_IN_SPANS.format(column)})", (listed,))


def _read_text(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError(f"is compared with {text!r}, which is no valid Unicode text") from None
    return text


def _read_pattern(text: str) -> str:
    if len(_read_text(text).encode()) > MAX_PATTERN:
        raise ValueError(f"takes a pattern of at most {MAX_PATTERN} bytes, but got {len(text.encode())}")
    return text


def _read_integer(text: str) -> int:
    number = int(text) if re.fullmatch(r"\s*-?[0-9]{1,19}\s*", text) else None
    if number is None or not -(2**63) <= number < 2**63:
        raise ValueError(f"takes a whole number of 64 bits, but got [{text}]")
    return number


def _read_real(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"takes a number, but got [{text}]")
    return number


def _read_boolean(text: str) -> int:
    try:
        return {"true": 1, "false": 0}[text.strip().lower()]
    except KeyError:
        raise ValueError(f"takes true or false, but got [{text}]") from None


_READERS: dict[Shape, Callable[[str], Bound]] = {
    Shape.TEXT: _read_text,
    Shape.INTEGER: _read_integer,
    Shape.REAL: _read_real,
    Shape.BOOLEAN: _read_boolean,
}

_PRINTED = ("%b %d, %Y %I:%M:%S %p", "%b %d, %Y %H:%M:%S")
"""How ZStack prints dates, so that a printed one can be sent back."""


def read_moment(text: str, zone: tzinfo | None) -> tuple[int, int]:
    """The first and the last millisecond since 1970-01-01 UTC that a date as people write it means.

    Reads milliseconds as digits, ``2024-05-01``, ``2024-05-01 18:11:47`` with a fraction and an offset if
    need be, and ``May 1, 2024 6:11:47 PM``. Whatever names no fraction means one whole second, because that
    is how dates are printed: one that was printed finds its row again.

    Raises:
        ValueError: it reads as none of these.
    """
    plain = " ".join(text.split())
    if re.fullmatch(r"-?[0-9]{1,15}", plain):
        return int(plain), int(plain)
    try:
        moment = _parse_date(plain)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=zone) if zone is not None else moment.astimezone()
        first = (moment - _EPOCH) // timedelta(milliseconds=1)
    except (ValueError, OverflowError, OSError):
        raise ValueError(
            f"takes a date such as 2024-05-01 18:11:47 or milliseconds since 1970, but got [{text}]"
        ) from None
    return first, first if "." in plain else first + 999


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _parse_date(text: str) -> datetime:
    for printed in _PRINTED:
        try:
            # The zone is put on by the caller, who knows it.
            return datetime.strptime(text, printed)  # noqa: DTZ007
        except ValueError:
            continue
    return datetime.fromisoformat(text)
