"""Conditions that lead from a row to others (``vmNics.l3Network.name=net1``, tags): `LinkedTopic`.

What such a condition holds of depends on more rows than one, so the topic keeps which rows fulfil it and looks
again when something that the condition touches has changed: at the changed rows alone if only they did, else at
all. It looks in a task of its own, at several batches at once when it has fallen behind, and at the database as
it then is.
"""

from __future__ import annotations

from collections.abc import Sequence

import trio

from zstack_appliance.kernel.compile import Compiler
from zstack_appliance.kernel.conditions import Query, all_of
from zstack_appliance.kernel.errors import CloudError
from zstack_appliance.kernel.events.happening import Happening
from zstack_appliance.kernel.events.matching import Condition
from zstack_appliance.kernel.events.message import Message, Position, Teller, gap
from zstack_appliance.kernel.events.sight import TABLE, Shares
from zstack_appliance.kernel.events.subscriber import Backlog
from zstack_appliance.kernel.events.topic import Wanted, kind_of
from zstack_appliance.kernel.schema import root_of
from zstack_appliance.kernel.sharing import SharedResource
from zstack_appliance.kernel.store import Store

Heard = tuple[int, list[Happening], frozenset[str]]
"""A batch's number, what happened, and the tables that it touched."""


class LinkedTopic:
    """Decides by asking the database.

    Args:
        wanted: what; of exactly one class.
        condition: its conditions.
        compiler: compiles them anew, with what the account may see at every hop.
        store: is asked.
        teller: makes messages.
        number: the batch that it begins after.
    """

    def __init__(
        self, wanted: Wanted, condition: Condition, compiler: Compiler, store: Store, teller: Teller, number: int
    ) -> None:
        self.wanted = wanted
        self.condition = condition
        self.subscribers: set[Backlog] = set()
        self.waiting: set[object] = set()
        """Who is about to subscribe."""
        self.number = number
        """The last batch that it has told of."""
        self.loaded = trio.Event()
        [self._cls] = wanted.classes
        self._table = root_of(self._cls).table
        # What is shared decides who sees what, at every hop.
        self.reached = condition.tables if wanted.admin else condition.tables | {TABLE}
        self._query = Query(where=all_of(wanted.conditions))
        self._compiler = compiler
        self._store = store
        self._teller = teller
        self._members: set[str] = set()
        self._heard: list[Heard] = []
        self._news = trio.Event()
        self._is_over = False

    def touches(self, tables: frozenset[str]) -> bool:
        """Whether changes of these tables may matter."""
        return self._table in tables or not self.reached.isdisjoint(tables)

    def hear(self, number: int, happenings: list[Happening], tables: frozenset[str]) -> None:
        """Take note of a batch."""
        self._heard.append((number, happenings, tables))
        self._news.set()

    async def run(self) -> None:
        """Tell the subscribers until it is stopped."""
        while not self._is_over:
            try:
                if not self.loaded.is_set():
                    self._members = await self._matching(None)
                    self.loaded.set()
                await self._news.wait()
                self._news = trio.Event()
                heard, self._heard = self._heard, []
                await self._take(heard)
            except CloudError as error:
                # Who fulfils the conditions is not known any more: it is found out anew.
                self.loaded = trio.Event()
                for backlog in self.subscribers:
                    backlog.put(gap(self.number, f"the conditions could not be evaluated: {error.details}"))

    def stop(self) -> None:
        """Nobody listens any more."""
        self._is_over = True
        self._news.set()

    async def _take(self, heard: Sequence[Heard]) -> None:
        if not heard:
            return
        touched = [each for each in heard if self.touches(each[2])]
        if touched:
            tables = frozenset[str]().union(*(each[2] for each in touched))
            mine = [each for _, found, _ in touched for each in found if self.wanted.concerns(each)]
            among = None if not self.reached.isdisjoint(tables) else {each.key for each in mine}
            if among is None or among:
                now = await self._matching(among)
                self._tell(mine, now, among, touched[-1][0])
        self.number = heard[-1][0]

    async def _matching(self, among: set[str] | None) -> set[str]:
        statement = self._compiler.keys(
            self._query, self._cls, self.wanted.principal, None if among is None else sorted(among)
        )
        rows = await self._store.query(statement.sql, statement.bindings)
        return {str(uuid) for (uuid,) in rows}

    def _tell(self, mine: list[Happening], now: set[str], among: set[str] | None, number: int) -> None:
        for each in mine:
            was, matches = each.key in self._members, each.after is not None and each.key in now
            kind = kind_of(each, was=was and each.before is not None, now=matches)
            if matches:
                self._members.add(each.key)
            else:
                self._members.discard(each.key)
            if kind is not None:
                self._put(self._teller.change(each, kind, self.wanted.principal))
        place = max((each.place for each in mine if each.number == number), default=0)
        for key in sorted((now ^ self._members) & (among if among is not None else now | self._members)):
            place += 1
            self._moved(key, Position(number, place), entered=key in now)

    def _moved(self, key: str, position: Position, *, entered: bool) -> None:
        """A row that has not changed by itself came to fulfil the conditions, or no longer does."""
        row = self._store.get(self._cls, key)
        if row is None:
            return  # It is gone by now, which one of the next batches tells.
        shared = Shares(self._store.find(SharedResource, resource_uuid=key)).of(key)
        happening = Happening(
            position.number, position.place, row.last_op_date, root_of(self._cls).cls, key, row, row,
            self._store.owner(self._cls, key) or "", shared, shared, (),
        )  # fmt: skip
        (self._members.add if entered else self._members.discard)(key)
        self._put(self._teller.change(happening, "entered" if entered else "left", self.wanted.principal))

    def _put(self, message: Message) -> None:
        for backlog in self.subscribers:
            backlog.put(message)
