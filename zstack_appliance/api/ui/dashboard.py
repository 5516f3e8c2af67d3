"""The first page: how full the cloud is, in what states its rows are, and what a fresh one still needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from zstack_appliance.api.ui.details import Meter
from zstack_appliance.api.ui.nouns import Noun
from zstack_appliance.api.ui.operations import operation
from zstack_appliance.api.ui.visit import Visit
from zstack_appliance.kernel.conditions import Cond, Op, Query
from zstack_appliance.kernel.job import Job

MOST_ROWS = 10_000
"""Rows that a gauge adds up."""

LATEST = 6


@dataclass(frozen=True)
class Count:
    """How many rows are in one state."""

    state: str
    number: int
    href: str


@dataclass(frozen=True)
class Tally:
    """A resource's rows by state."""

    noun: Noun
    total: int
    counts: tuple[Count, ...]


@dataclass(frozen=True)
class FirstStep:
    """Something that a cloud needs before it is of use."""

    noun: Noun
    done: bool
    may: bool


async def dashboard_page(visit: Visit) -> Response:
    """The page."""
    nouns = [noun for noun in visit.nouns.all if visit.nouns.may_see(noun, visit.principal)]
    latest = Query(sort="createDate", descending=True, limit=LATEST)
    jobs = (await visit.inside.queries.run(latest, Job, visit.principal)).inventories or []
    steps = [await _first_step(visit, noun) for noun in nouns if noun.looks.step]
    steps.sort(key=lambda step: step.noun.looks.step)
    gauges = [ranked for noun in nouns if noun.looks.gauges for ranked in await _gauges(visit, noun)]
    counted = sorted((noun for noun in nouns if noun.looks.counted), key=lambda noun: -noun.looks.step)
    return visit.page(
        "dashboard.html",
        gauges=[meter for _, meter in sorted(gauges, key=lambda ranked: ranked[0])],
        tallies=[await _tally(visit, noun) for noun in counted],
        steps=steps,
        is_fresh=any(not step.done for step in steps),
        running=await _count(visit, Job, "state", "Running"),
        failed=await _count(visit, Job, "state", "Failed"),
        operations=[await operation(visit, row, steps=False) for row in jobs],
    )


async def _gauges(visit: Visit, noun: Noun) -> list[tuple[int, Meter]]:
    wires = tuple(wire for gauge in noun.looks.gauges for wire in (gauge.total, gauge.available))
    reply = await visit.inside.queries.run(Query(fields=wires, limit=MOST_ROWS), noun.cls, visit.principal)
    rows = reply.inventories or []
    found = []
    for gauge in noun.looks.gauges:
        total = sum(row.get(gauge.total, 0) for row in rows)
        used = total - sum(row.get(gauge.available, 0) for row in rows)
        found.append((gauge.rank, Meter(gauge.label, used, total, is_bytes=gauge.is_bytes)))
    return [(rank, meter) for rank, meter in found if meter.total]


async def _tally(visit: Visit, noun: Noun) -> Tally:
    wire = noun.looks.counted
    distinct = Query(fields=(wire,), group_by=(wire,), limit=50)
    values = [
        row.get(wire) for row in (await visit.inside.queries.run(distinct, noun.cls, visit.principal)).inventories or []
    ]
    counts = [
        Count(str(value), await _count(visit, noun.cls, wire, str(value)), f"/ui{noun.path}?q={wire}%3D{value}")
        for value in values
        if value is not None
    ]
    counts.sort(key=lambda count: -count.number)
    return Tally(noun, sum(count.number for count in counts), tuple(counts))


async def _count(visit: Visit, cls: Any, wire: str, value: str) -> int:
    query = Query(Cond(wire, Op.EQ, value), count=True)
    return (await visit.inside.queries.run(query, cls, visit.principal)).total or 0


async def _first_step(visit: Visit, noun: Noun) -> FirstStep:
    reply = await visit.inside.queries.run(Query(limit=1, fields=("uuid",)), noun.cls, visit.principal)
    return FirstStep(noun, bool(reply.inventories), bool(noun.can_make(visit.principal, visit.nouns)))
