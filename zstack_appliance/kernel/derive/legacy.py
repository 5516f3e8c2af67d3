"""The legacy message table, read from the declarations: which API a full Java class name means.

Primitives: `CallMessage` (an API), `QueryMessage` (the query of a resource) and `messages`, the table of both.
ZStack's first clients speak these: one address for everything, the class of the message as its only key.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from zstack_appliance.kernel.edges import query_name
from zstack_appliance.kernel.message import Api, Request, api_of, wire_name
from zstack_appliance.kernel.schema import Record, describe


@dataclass(frozen=True)
class CallMessage:
    """An API.

    Args:
        wire: ZStack's full class of the message.
        reply: ZStack's full class of what answers it.
        message: what the call is decoded to.
        declared: the API's declaration.
    """

    wire: str
    reply: str
    message: type[Request[Any]]
    declared: Api


@dataclass(frozen=True)
class QueryMessage:
    """The query of a resource.

    Args:
        wire: ZStack's full class of the message, such as ``org.zstack.header.zone.APIQueryZoneMsg``.
        reply: ZStack's full class of what answers it.
        resource: what is queried.
    """

    wire: str
    reply: str
    resource: type[Record]


LegacyMessage = CallMessage | QueryMessage


def messages(requests: Iterable[type[Request[Any]]], resources: Iterable[type[Record]]) -> Mapping[str, LegacyMessage]:
    """Every message by its full class.

    Args:
        requests: every request that someone serves; those that are no API are left out.
        resources: every registered resource; those that REST does not query either are left out.

    Raises:
        ValueError: two messages have one class.
    """
    declared = ((message, api_of(message)) for message in requests)
    calls: list[LegacyMessage] = [_call(message, api) for message, api in declared if api is not None]
    queries = [_query(resource) for resource in resources if describe(resource).options.path is not None]
    found: dict[str, LegacyMessage] = {}
    for each in (*calls, *queries):
        if found.setdefault(each.wire, each) is not each:
            raise ValueError(f"two messages are called {each.wire}; give one of them another name")
    return found


def reply_class(message: type[Request[Any]], declared: Api) -> str:
    """ZStack's full class of an API's answer: a Reply at once, an Event after a job."""
    if declared.answer is not None:
        return declared.answer
    return f"{wire_name(message).removesuffix('Msg')}{'Reply' if declared.sync else 'Event'}"


def _call(message: type[Request[Any]], declared: Api) -> CallMessage:
    return CallMessage(wire_name(message), reply_class(message, declared), message, declared)


def _query(resource: type[Record]) -> QueryMessage:
    stem = f"{describe(resource).options.wire}.APIQuery{query_name(resource)}"
    return QueryMessage(f"{stem}Msg", f"{stem}Reply", resource)
