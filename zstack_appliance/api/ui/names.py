"""What the uuids in a page are called: `Names`, read once for all the rows of a page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from zstack_appliance.api.ui.visit import Visit
from zstack_appliance.kernel.derive.form import Kind, Shown
from zstack_appliance.kernel.schema import Record


@dataclass(frozen=True)
class Named:
    """What a uuid is called, and its page."""

    text: str
    href: str | None


class Names:
    """Names by uuid."""

    def __init__(self, found: Mapping[str, Named]) -> None:
        self._found = found

    @classmethod
    def of(cls, visit: Visit, fields: Sequence[Shown], rows: Iterable[Mapping[str, Any]]) -> Names:
        """The names of everything that these fields of these rows refer to."""
        wanted: dict[str, type[Record]] = {}
        refs = [f for f in fields if f.target is not None and f.kind in (Kind.REFERENCE, Kind.REFERENCES)]
        for row in rows:
            for field in refs:
                value = row.get(field.wire)
                assert field.target is not None
                for uuid in value if isinstance(value, list) else (value,):
                    if isinstance(uuid, str):
                        wanted.setdefault(uuid, field.target)
        return cls({uuid: Named(*visit.name_of(target, uuid)) for uuid, target in wanted.items()})

    def __getitem__(self, uuid: str) -> Named:
        return self._found.get(uuid) or Named(uuid, None)


def into(row: Mapping[str, Any], path: str) -> list[Any]:
    """The values at a path into an embedded list, such as ``vmNics.ip``."""
    first, _, rest = path.partition(".")
    value = row.get(first)
    found = value if isinstance(value, list) else [] if value is None else [value]
    if not rest:
        return found
    return [each for item in found if isinstance(item, Mapping) for each in into(item, rest)]
