"""Names in place of uuids: `Resolver` finds what a person calls by name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from zstack_appliance.cli.client import Client
from zstack_appliance.cli.declared import path_of
from zstack_appliance.cli.exits import CliError, Exit, usage
from zstack_appliance.kernel.edges import public_fields, query_name
from zstack_appliance.kernel.schema import Record

_UUID = re.compile(r"[0-9a-f]{32}")

_LISTED = 20
"""How many namesakes an error lists."""


@dataclass(frozen=True)
class Resolver:
    """Finds resources of one appliance."""

    client: Client

    def uuid(self, target: type[Record], text: str) -> str:
        """The uuid of what `text` names; a uuid is its own.

        Raises:
            CliError: nothing has this name, or several do.
        """
        return text if _UUID.fullmatch(text) else str(self.row(target, text)["uuid"])

    def row(self, target: type[Record], text: str) -> dict[str, Any]:
        """The inventory of what `text` names, by uuid or by name.

        Raises:
            CliError: there is none, or several have this name.
        """
        path, kind = path_of(target), query_name(target)
        if path is None:
            raise usage(f"a {kind} cannot be looked up; give its uuid")
        by_uuid = _UUID.fullmatch(text) is not None
        if not by_uuid and not any(field.wire == "name" for field in public_fields(target)):
            raise usage(f"a {kind} has no name; give its uuid in place of [{text}]")
        found = self.client.rows(path, f"{'uuid' if by_uuid else 'name'}={text}", limit=_LISTED)
        if not found:
            raise CliError(f"there is no {kind} [{text}]", Exit.NOT_FOUND)
        if len(found) > 1:
            raise _ambiguous(kind, text, found)
        return found[0]


def _ambiguous(kind: str, text: str, found: Sequence[dict[str, Any]]) -> CliError:
    lines = [f"  {row['uuid']}  {row.get('state', '')}  {row.get('createDate', '')}" for row in found]
    return usage("\n".join([f"{len(found)} {kind}s are called [{text}]; give the uuid of one:", *lines]))
