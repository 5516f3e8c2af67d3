"""Names from a running appliance, for completion: `LiveNames`."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from zstack_appliance.cli.client import Client
from zstack_appliance.cli.declared import path_of
from zstack_appliance.cli.exits import CliError
from zstack_appliance.cli.offers import Named
from zstack_appliance.cli.place import Place, choose
from zstack_appliance.kernel.edges import public_fields
from zstack_appliance.kernel.schema import Record

SECONDS = 2.0
"""How long a person who pressed the tabulator waits for names; a busy appliance offers none then."""

MOST = 50


class LiveNames:
    """What exists in one appliance. It never fails: what it cannot learn, it does not offer.

    Args:
        place: the appliance; None where it is not known which one is meant.
    """

    def __init__(self, place: Place | None) -> None:
        self._place = place

    @classmethod
    def of(cls, options: Mapping[str, Any], environment: Mapping[str, str] = os.environ) -> LiveNames:
        """The names of the appliance that a command's ``--url`` and ``--data`` mean."""
        data = options.get("data")
        try:
            place = choose(options.get("url"), Path(data) if data else None, environment)
        except CliError:
            return cls(None)
        return cls(place)

    def begin(self, target: type[Record], begun: str, by: str) -> Iterator[Named]:
        """The first `MOST` that begin so, in alphabetical order."""
        fields = [field.wire for field in public_fields(target) if field.wire in ("name", "uuid")]
        path = path_of(target)
        if self._place is None or path is None or by not in fields:
            return
        pattern = begun.replace("_", "%")  # An underscore stands for any character; the filter below is exact.
        client = Client(self._place, SECONDS)  # One for each question: a person may ask the next before an answer.
        try:
            rows = client.rows(path, f"{by}~={pattern}%", limit=MOST, sort=f"+{by}", fields=",".join(fields))
        except CliError:
            return
        finally:
            client.close()
        for row in rows:
            if str(row.get(by, "")).startswith(begun):
                yield Named(str(row.get("name", "")), str(row["uuid"]))
