"""Jobs as people follow them: `operations_part` (the drawer) and `operation_of` (one, with its steps)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from starlette.responses import Response

from zstack_appliance.api.ui.visit import Visit
from zstack_appliance.api.ui.words import api_words, short_name
from zstack_appliance.kernel.conditions import Query
from zstack_appliance.kernel.errors import CloudError, ErrorCode
from zstack_appliance.kernel.job import Job
from zstack_appliance.kernel.message import api_of
from zstack_appliance.kernel.validate import decode

MOST = 12
"""Operations that the drawer lists."""


@dataclass(frozen=True)
class Operation:
    """A job, with what it has done.

    Args:
        row: its inventory.
        title: what was asked, in words.
        subject: what it is about, as far as the request says, by name.
        steps: what it has done so far; None when nobody asked.
        error: why it failed.
    """

    row: Mapping[str, Any]
    title: str
    subject: str
    steps: tuple[Mapping[str, Any], ...] | None = None
    error: ErrorCode | None = None

    @property
    def rejections(self) -> list[Mapping[str, str]]:
        """The candidates that were passed over, if that is why it failed."""
        return list((self.error.opaque or {}).get("rejections", [])) if self.error is not None else []

    @property
    def is_running(self) -> bool:
        """Whether it goes on."""
        return bool(self.row["state"] == "Running")


async def operations_part(visit: Visit) -> Response:
    """The latest operations; those that run, and those that the page has open, are shown with their steps."""
    query = Query(sort="createDate", descending=True, limit=MOST)
    rows = (await visit.inside.queries.run(query, Job, visit.principal)).inventories or []
    opened = visit.many("open")
    found = [await operation(visit, row, steps=row["state"] == "Running" or row["uuid"] in opened) for row in rows]
    return visit.page("operations.html", operations=found, opened=opened)


async def operation_of(visit: Visit, uuid: str) -> Operation:
    """One operation with its steps."""
    job = visit.inside.portal.kernel.store.require(Job, uuid)
    store = visit.inside.portal.kernel.store
    row = visit.inside.inventories.render(store.reader, [job], visit.principal)[0]
    return await operation(visit, row, steps=True)


async def operation(visit: Visit, row: Mapping[str, Any], *, steps: bool) -> Operation:
    """A job's row as an operation, with its steps if they are wanted, or if it failed."""
    error = msgspec.json.decode(row["error"], type=ErrorCode) if row.get("error") else None
    done = await _steps(visit, str(row["uuid"])) if steps or error is not None else None
    return Operation(row, api_words(str(row["api"])), subject_of(visit, row), done, error)


def subject_of(visit: Visit, row: Mapping[str, Any]) -> str:
    """What a job is about, by name: what it makes, or the row whose path was called. What has gone has none any more.

    Args:
        visit: whose eyes it is for.
        row: the job's inventory.
    """
    request = msgspec.json.decode(row.get("request") or "{}")
    if request.get("name"):
        return str(request["name"])
    message = visit.nouns.messages.get(short_name(str(row["api"])))
    declared = api_of(message) if message is not None else None
    path, _, rest = declared.path.partition("/{") if declared is not None else ("", "", "")
    noun = visit.nouns.at(path)
    uuid = str(request.get(rest.partition("}")[0]) or "")
    if noun is None or not uuid:
        return ""
    name, _ = visit.name_of(noun.cls, uuid)
    return "" if name == uuid else name


async def _steps(visit: Visit, uuid: str) -> tuple[Mapping[str, Any], ...]:
    message = visit.nouns.messages.get("GetJobSteps")
    if message is None:
        return ()
    try:
        reply = await visit.inside.portal.serve(decode(message, {"uuid": uuid}), visit.principal)
    except CloudError:
        return ()
    return tuple(msgspec.structs.asdict(step) for step in reply.steps)
