"""The conditions of a query as people write them: `condition`, which knows ``=null`` besides ZStack's own."""

from __future__ import annotations

from zstack_appliance.cli.exits import usage
from zstack_appliance.kernel.conditions import Op, parse_condition
from zstack_appliance.kernel.errors import InvalidArgument


def condition(text: str) -> str:
    """A condition as the REST door reads it; ``hostUuid=null`` becomes ``hostUuid is null``.

    Raises:
        CliError: there is no operator in it.
    """
    try:
        found = parse_condition(text)
    except InvalidArgument as error:
        raise usage(error.details) from None
    if found.value == "null" and found.op is Op.EQ:
        return f"{found.path} is null"
    if found.value == "null" and found.op is Op.NE:
        return f"{found.path} not null"
    return text
