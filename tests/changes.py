"""What a part of a test changed: `unchanged`, which fails a block that changes any row but journals."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from zstack_appliance.kernel.schema import describe
from zstack_appliance.kernel.store import Batch, Store


@contextmanager
def unchanged(store: Store, why: str = "nothing should have changed") -> Iterator[None]:
    """Run a block that may write journals, such as jobs, and nothing else."""
    found: list[str] = []

    def note(batch: Batch) -> None:
        for change in batch.changes:
            cls = store.tables.root_class(change.table)
            if cls is None or not describe(cls).options.journal:
                found.append(f"{change.table} {change.key}: {change.before} became {change.after}")

    with store.feed.listening(note):
        yield
    assert not found, f"{why}: {found}"
