"""What can be asked about the past of a resource."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from zstack_appliance.kernel.message import OWNER, Read, api

_WIRE = "org.zstack.appliance"


class HistoryEntry(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """One change of a resource."""

    number: int
    """Where it stands in the change feed; events have the same numbers."""
    at: str
    """When, RFC 3339 in UTC."""
    resource: str
    """Its class, such as ``VmInstance``."""
    kind: str
    """``created``, ``updated`` or ``deleted``."""
    fields: tuple[str, ...]
    """Wire names of what changed."""
    before: dict[str, Any] | None = None
    """As it was, without the lists that its inventory embeds; absent for one that was created."""
    after: dict[str, Any] | None = None
    """As it became; absent for one that was deleted."""
    account: str | None = None
    """The account that it was done for."""
    account_name: str | None = None
    """Its name, shown to itself and to administrators."""
    api: str | None = None
    """ZStack's class of the call; absent for what the appliance did by itself."""
    job: str | None = None
    """The call's job, if it had one."""


class HistoryPage(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """A page of a history."""

    entries: tuple[HistoryEntry, ...]
    next: int | None = None
    """Ask again with this as ``before`` for what is older; absent at the end."""


@api("GET", "/appliance/history/{uuid}", access=OWNER, sync=True, reply=None, wire=_WIRE)
class GetResourceHistory(Read[HistoryPage], frozen=True, kw_only=True):
    """What happened to a resource, newest first, also after it has gone."""

    uuid: str
    """The resource's. Of whatever kind it is, it may be gone, so that nothing else says what it refers to."""
    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 100
    """Entries at most; changes of one commit stay together, so that there may be a few more."""
    before: Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)] | None = None
    """Only what is older than this number."""
