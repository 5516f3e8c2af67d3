"""Committed files that follow from the declarations: ``python -m tests.derived`` checks, ``--write`` makes them.

Primitives: `Derived` (a file and what makes its text), `DERIVED` (all of them) and `stale` (how one differs).
They are committed so that a change of the declarations shows its consequences in review.
"""

from __future__ import annotations

import difflib
import json
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click
import msgspec

import zstack_appliance.cloud
from tests.wire.make_catalogue import CATALOGUE
from zstack_appliance.kernel.derive.ddl import schema_sql, script
from zstack_appliance.kernel.derive.openapi import openapi
from zstack_appliance.kernel.derive.route import Routes
from zstack_appliance.kernel.edges import Graph
from zstack_appliance.kernel.plugin import discover, handler_of
from zstack_appliance.kernel.records import RECORDS
from zstack_appliance.kernel.schema import Record
from zstack_appliance.version import VERSION

ROOT = Path(__file__).parent.parent
REMEDY = "python -m tests.derived --write"
_SQL_HEADING = f"-- The tables of a fresh database. Made from the declarations by `{REMEDY}`.\n\n"


@dataclass(frozen=True)
class Derived:
    """A committed file.

    Args:
        path: below the root of the repository.
        make: what its text has to be.
    """

    path: str
    make: Callable[[], str]


def schema() -> str:
    """The SQL of every table that an appliance with all its plugins has."""
    plugins = discover(zstack_appliance.cloud.__name__)
    resources = [cls for plugin in plugins for cls in plugin.resources]
    return _SQL_HEADING + script(schema_sql([*resources, *RECORDS]))


def api() -> str:
    """What the REST door of an appliance with all its plugins serves, as OpenAPI."""
    plugins = discover(zstack_appliance.cloud.__name__)
    resources: list[type[Record]] = [*(cls for plugin in plugins for cls in plugin.resources), *RECORDS]
    requests = [handler_of(entry).message for plugin in plugins for entry in plugin.handlers]
    document = openapi(Routes(requests, resources).all, Graph(resources), VERSION)
    return msgspec.json.format(msgspec.json.encode(document), indent=1).decode() + "\n"


def scope() -> str:
    """The classes of the APIs in scope, by the first element of their paths, from the tests' catalogue."""
    facts = json.loads(CATALOGUE.read_text(encoding="utf-8"))["apis"]
    parts: dict[str, list[str]] = defaultdict(list)
    for fact in facts:
        path = fact["path"] if fact["path"].startswith("/") else fact["optionalPaths"][0]
        parts[path.split("/")[1]].append(fact["class"])
    named = {part: sorted(classes) for part, classes in sorted(parts.items())}
    return json.dumps(named, indent=1) + "\n"


DERIVED = (
    Derived("docs/schema.sql", schema),
    Derived("docs/openapi.json", api),
    Derived("zstack_appliance/cli/scope.json", scope),
)


def stale(root: Path, derived: Derived) -> str:
    """A unified diff from the file to what it has to be; empty when they agree. A missing file counts as empty."""
    path, wanted = root / derived.path, derived.make()
    found = path.read_text(encoding="utf-8") if path.exists() else ""
    lines = difflib.unified_diff(
        found.splitlines(keepends=True),
        wanted.splitlines(keepends=True),
        f"{derived.path} (committed)",
        f"{derived.path} (declared)",
    )
    return "".join(lines)


def write(root: Path, derived: Derived) -> None:
    """Make the file."""
    path = root / derived.path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(derived.make(), encoding="utf-8")


@click.command(help=f"Check the {len(DERIVED)} committed files that follow from the declarations.")
@click.option("--write", "writing", is_flag=True, help="Make them instead.")
def main(*, writing: bool) -> None:
    """Exit with 1, and show how, when a file is not what the declarations give."""
    if writing:
        for derived in DERIVED:
            write(ROOT, derived)
        return
    differences = [diff for derived in DERIVED if (diff := stale(ROOT, derived))]
    for diff in differences:
        click.echo(diff, nl=False)
    if differences:
        raise click.ClickException(f"run `{REMEDY}` and commit what it made")


if __name__ == "__main__":
    main()
