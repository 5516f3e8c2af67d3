"""What can be asked in ZQL."""

from __future__ import annotations

from typing import Any

from zstack_appliance.kernel.message import ANY, Read, api


@api("GET", "/zql", access=ANY, sync=True, reply="results", wire="org.zstack.query", name="APIZQLQueryMsg")
class QueryZql(Read[list[dict[str, Any]]], frozen=True, kw_only=True):
    """Answer a text in ZQL, statement by statement, with what the caller may see."""

    zql: str
