"""What a subscriber missed, told again from the change log: `Replay`.

It reads the log bit by bit, so that a long absence costs no memory, until it has caught up with what is told live.
Jobs are not in the log: those that have moved since are told once, as they are now, before anything else and under
the position that was resumed from, so that whoever is cut off among them is told of all of them again.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from zstack_appliance.kernel.events.happening import STEPS, Happening, Happenings
from zstack_appliance.kernel.events.linked import LinkedTopic
from zstack_appliance.kernel.events.message import WHOLE, Message, Position, Teller, gap
from zstack_appliance.kernel.events.sight import NOBODY, Shares
from zstack_appliance.kernel.events.topic import Topic
from zstack_appliance.kernel.job import Job, JobState
from zstack_appliance.kernel.journal import FlowRun
from zstack_appliance.kernel.schema import describe
from zstack_appliance.kernel.store import Batch, Store, changelog
from zstack_appliance.kernel.store.reader import Reader

AT_ONCE = 200
"""Batches read in one go."""

FORGOTTEN = "what happened since is no longer remembered"
UNKNOWN = "this appliance has not got that far: the id is another one's, or of another database"
LINKED = "rows have changed that the conditions lead to, and who fulfilled them then is not known any more"

_JOBS = f"""
SELECT uuid FROM {describe(Job).table} WHERE state = ? OR last_op_date >= ?
 UNION SELECT job_uuid FROM {describe(FlowRun).table} WHERE last_op_date >= ? AND job_uuid IS NOT NULL
"""


class Replay:
    """The past of one subscription.

    Args:
        store: has the log.
        happenings: read batches.
        topic: gives what decides.
        teller: makes messages.
        after: what the subscriber has heard already.
        position: the last batch that has been told live.
        shares: what is shared at that moment.
    """

    def __init__(
        self,
        store: Store,
        happenings: Happenings,
        topic: Callable[[], Topic | LinkedTopic],
        teller: Teller,
        after: Position,
        position: Callable[[], int],
        shares: Callable[[], Shares],
    ) -> None:
        self._store = store
        self._happenings = happenings
        self._topic = topic
        self._teller = teller
        self._after = after
        self._position = position
        self._shares_now = shares
        self._shares: Shares | None = None
        # The batch that was cut in the middle is read again.
        self._read = after.number if after.place == WHOLE else after.number - 1
        self._told_jobs = False

    async def more(self) -> tuple[list[Message], bool]:
        """The next messages, possibly none, and whether they are the last: then the subscriber hears live.

        It may be cancelled and called again. Where it says that they are the last, no other task has run since it
        looked, so that whoever listens from now on misses nothing.
        """
        if self._after.number > self._position():
            return self._give_up(UNKNOWN)
        try:
            if not self._told_jobs:
                found = await self._jobs()
                self._told_jobs = True
                return found, False
            topic = self._topic()
            return await (self._check_linked(topic) if isinstance(topic, LinkedTopic) else self._next(topic))
        except msgspec.ValidationError:
            return self._give_up(FORGOTTEN)

    def _give_up(self, reason: str) -> tuple[list[Message], bool]:
        """Tell of a gap, and be done."""
        topic = self._topic()
        return [gap(topic.number if isinstance(topic, LinkedTopic) else self._position(), reason)], True

    async def _next(self, topic: Topic) -> tuple[list[Message], bool]:
        through = self._position()
        if self._read >= through:
            return [], True
        if self._shares is None:
            self._shares = await self._shares_then(through)
        batches, floor = await self._batches(self._read, through)
        if self._read < floor:
            return self._give_up(FORGOTTEN)
        found: list[Message] = []
        for batch in batches:
            for each in self._happenings.of(batch, self._shares):
                message = topic.message(each)
                if message is not None and message.position > self._after:
                    found.append(message)
        self._read = batches[-1].number if len(batches) == AT_ONCE else through
        return found, self._read >= self._position()

    async def _check_linked(self, topic: LinkedTopic) -> tuple[list[Message], bool]:
        through = topic.number
        if self._read >= through:
            return [], True
        batches, floor = await self._batches(self._read, through)
        if self._read < floor:
            return self._give_up(FORGOTTEN)
        for batch in batches:
            later = batch.number > self._after.number or self._after.place < len(batch.changes)
            if later and topic.touches(frozenset(change.table for change in batch.changes)):
                return self._give_up(LINKED)
        self._read = batches[-1].number if len(batches) == AT_ONCE else through
        return [], self._read >= topic.number

    async def _batches(self, number: int, through: int) -> tuple[list[Batch], int]:
        tables = self._store.tables

        def look(reader: Reader) -> tuple[list[Batch], int]:
            return changelog.after(reader, tables, number, through, AT_ONCE), changelog.floor(reader)

        return await self._store.read(look)

    async def _shares_then(self, through: int) -> Shares:
        """What was shared before the first batch that is told again."""
        shares, read = self._shares_now().copy(), self._read
        changes = []
        while True:
            batches, _ = await self._batches(read, through)
            changes += [change for batch in batches for change in batch.changes]
            if len(batches) < AT_ONCE:
                break
            read = batches[-1].number
        for change in reversed(changes):
            shares.undo(change)
        return shares

    # --- jobs ------------------------------------------------------------------------------------------

    async def _jobs(self) -> list[Message]:
        """Jobs that run, or have moved since, as they are now."""
        wanted = self._topic().wanted
        if wanted.classes and Job not in wanted.classes:
            return []
        since = await self._store.read(lambda reader: changelog.date_of(reader, self._after.number))
        rows = await self._store.query(_JOBS, (JobState.RUNNING.value, since, since))
        found = []
        for (uuid,) in rows:
            message = self._job(str(uuid))
            if message is not None:
                found.append(message)
        return found

    def _job(self, uuid: str) -> Message | None:
        job, topic = self._store.get(Job, uuid), self._topic()
        if job is None or isinstance(topic, LinkedTopic):
            return None
        happening = Happening(
            self._after.number, 0, job.last_op_date, Job, uuid, job, job,
            self._store.owner(Job, uuid) or "", NOBODY, NOBODY, (STEPS,),
        )  # fmt: skip
        principal = topic.wanted.principal
        if not happening.sights[1].holds(principal):
            return None
        kind = "updated" if topic.matches(job) else "left"
        return self._teller.change(happening, kind, principal, self._after)
