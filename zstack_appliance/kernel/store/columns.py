"""How one field's values are stored: `Codec`, chosen by `codec_of`.

Most values are stored as they are. Enums are stored as their value, lists, maps and structs as JSON text,
booleans as 0 and 1, and secrets sealed. Null is always SQL's null, so no codec sees None.
"""

from __future__ import annotations

import enum
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from zstack_appliance.kernel.journal import Sealer
from zstack_appliance.kernel.schema import SECRET, Field


@dataclass(frozen=True, slots=True)
class Codec:
    """Both directions of one column; None means that values are stored as they are."""

    encode: Callable[[Any], Any] | None = None
    decode: Callable[[Any], Any] | None = None


def codec_of(field: Field, sealer: Sealer | None) -> Codec:
    """The codec of a field.

    Raises:
        TypeError: the field is secret and there is no sealer.
    """
    plain = _plain_codec(field)
    if not field.marked(SECRET):
        return plain
    if sealer is None:
        raise TypeError(f"field {field.name} is secret: open the store with a sealer")
    return _sealed(plain, sealer)


def _plain_codec(field: Field) -> Codec:
    if field.is_json:
        return Codec(_to_json(msgspec.json.Encoder()), msgspec.json.Decoder(field.type).decode)
    if field.enum is not None:
        return _enum_codec(field.enum)
    if field.type is bool:
        return Codec(None, bool)
    return Codec()


def _to_json(encoder: msgspec.json.Encoder) -> Callable[[Any], str]:
    return lambda value: encoder.encode(value).decode()


def _enum_codec(choices: type[enum.Enum]) -> Codec:
    # A dictionary look-up is several times faster than calling the enum class.
    return Codec(operator.attrgetter("value"), {member.value: member for member in choices}.__getitem__)


def _sealed(plain: Codec, sealer: Sealer) -> Codec:
    inner_encode, inner_decode = plain.encode or str, plain.decode or str
    return Codec(
        lambda value: sealer.seal(inner_encode(value).encode()),
        lambda stored: inner_decode(sealer.unseal(stored).decode()),
    )
