"""What can be asked about jobs."""

from __future__ import annotations

from typing import Annotated

import msgspec

from zstack_appliance.kernel.job import Job
from zstack_appliance.kernel.message import OWNER, Action, Read, api
from zstack_appliance.kernel.schema import Ref, Uuid

_WIRE = "org.zstack.appliance"


class JobStep(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """One step of one of a job's flows. Times are milliseconds UTC."""

    flow: str
    name: str
    started: int
    ended: int | None = None
    outcome: str | None = None
    """``done``, ``failed`` or ``cancelled``; None while it runs."""
    undo: str | None = None
    """``done``, ``failed`` or ``none`` (it needs no undo); None while it stands."""


class JobSteps(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Every step that a job has begun, in the order that they began."""

    steps: tuple[JobStep, ...]


@api("GET", "/appliance/jobs/{uuid}/steps", access=OWNER, sync=True, reply=None, wire=_WIRE, target=Job)
class GetJobSteps(Read[JobSteps], frozen=True, kw_only=True):
    """What a job has done so far, step by step, undone ones included."""

    uuid: Annotated[Uuid, Ref(Job)]


@api("PUT", "/appliance/jobs/{uuid}/actions", access=OWNER, sync=True, wire=_WIRE)
class CancelJob(Action[Job], frozen=True, kw_only=True):
    """Cancel a running job. What it did is undone, unless it is past the point where it only goes forward."""

    uuid: Annotated[Uuid, Ref(Job)]
