"""Serves ZQL."""

from __future__ import annotations

from typing import Any

from zstack_appliance.cloud.zql.messages import QueryZql
from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.plugin import handles
from zstack_appliance.kernel.zql.run import Zql


@handles(QueryZql)
async def query_zql(m: QueryZql, cloud: Cloud) -> list[dict[str, Any]]:
    """Answer each statement."""
    return await cloud.use(Zql).run(m.zql, cloud.principal)
