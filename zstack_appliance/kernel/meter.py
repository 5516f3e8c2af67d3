"""What the kernel tells about its own work: `Measure`, `Meter`, and `Gauge` for what plugins have to show.

The kernel only says what it has measured; who keeps and shows it is passed in.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from zstack_appliance.kernel.derive.ddl import quoted
from zstack_appliance.kernel.schema import Record, describe

if TYPE_CHECKING:
    from zstack_appliance.kernel.store.reader import Reader


class Measure(enum.Enum):
    """What is measured as it happens, in seconds unless it says otherwise."""

    QUEUE_WAIT = "How long an operation waited for its turn in its resource's queue."
    JOB = "How long a job took, from its call to its end."
    COMMIT = "How long SQLite's COMMIT took, which waits for the disk."
    GROUP = "How many writes shared one commit."


Numbers: TypeAlias = list[tuple[tuple[str, ...], float]]
"""Values of a gauge's labels and the number, for each combination that there is."""

Meter: TypeAlias = Callable[[Measure, float], None]


def unmetered(_measure: Measure, _value: float) -> None:
    """Keeps nothing."""


@dataclass(frozen=True)
class Gauge:
    """A number that the stored rows of a resource give at any moment.

    Args:
        name: as metrics are called, such as ``zstack_vms``.
        help: one sentence with the unit.
        resource: whose rows.
        by: Python names of its own fields; the rows are told apart by their values.
        total: Python name of the field whose values are added up; None counts rows.
    """

    name: str
    help: str
    resource: type[Record]
    by: tuple[str, ...] = ()
    total: str | None = None

    def read(self, reader: Reader) -> Numbers:
        """The values of `by` and the number, for each combination that there is; null values are empty text."""
        columns = [quoted(name) for name in self.by]
        number = "count(*)" if self.total is None else f"coalesce(sum({quoted(self.total)}), 0)"
        group = f" GROUP BY {', '.join(columns)}" if columns else ""
        text = f"SELECT {', '.join([*columns, number])} FROM {quoted(describe(self.resource).table)}{group}"
        return [(tuple("" if v is None else str(v) for v in labels), float(n)) for *labels, n in reader.select(text)]
