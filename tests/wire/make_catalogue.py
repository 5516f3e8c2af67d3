"""Make ``catalogue.json`` and ``settings.json``: ``python -m tests.wire.make_catalogue FULL_CATALOGUE_OF_ZSTACK``.

The first holds the facts of the APIs in scope and of the inventories that they answer with, the second those of
all settings and system tags, one row a line. Both are committed; nobody needs the full catalogue to run the tests.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

CATALOGUE = Path(__file__).parent / "catalogue.json"
SETTINGS = Path(__file__).parent / "settings.json"

API_KEYS = ("class", "kind", "method", "path", "optionalPaths", "bodyKey", "mappingFields", "sync", "noSession")
FIELD_KEYS = ("name", "type", "required", "maxLength", "minLength", "validValues", "numberRange", "emptyString")


def api(row: dict[str, Any]) -> dict[str, Any]:
    """The facts of one API that a declaration can be compared with."""
    response = row["response"]
    return {
        **{key: row[key] for key in API_KEYS},
        "fields": [{key: field[key] for key in FIELD_KEYS if key in field} for field in row["fields"]],
        "response": {key: response[key] for key in ("class", "allTo", "fieldsTo")},
    }


def inventory(row: dict[str, Any]) -> dict[str, Any]:
    """The facts of one inventory: its fields, and the names of its edges and aliases."""
    own = [edge["expandedField"] for edge in row["expandedQueries"] if not edge.get("target")]
    aliases = [alias["alias"] for alias in row["expandedQueryAliases"] if not alias.get("target")]
    return {
        "class": row["class"],
        "fields": {field["name"]: field["type"] for field in row["fields"]},
        "edges": sorted({*own, *aliases}),
    }


def config(row: dict[str, Any]) -> dict[str, Any]:
    """The facts of one setting."""
    choices = (row.get("validation") or {}).get("validValues")
    facts = {"name": f"{row['category']}.{row['name']}", "default": row["default"], "bind": row.get("bindResource")}
    return {**facts, "choices": choices}


def text(full: dict[str, Any]) -> str:
    """The catalogue as JSON, one row a line, in the order of the names."""
    apis = sorted((api(row) for row in full["apis"] if row["inScope"]), key=lambda row: row["class"])
    inventories = sorted(
        (inventory(row) for row in full["inventories"].values() if row.get("inScope")), key=lambda row: row["class"]
    )
    return _blocks({"apis": apis, "inventories": inventories})


def settings_text(full: dict[str, Any]) -> str:
    """The settings and system tags as JSON, one row a line, in the order of the names."""
    configs = sorted(map(config, full["globalConfigs"]), key=lambda row: str(row["name"]))
    tags = sorted(
        ({"resource": row["resource"], "pattern": row["pattern"]} for row in full["systemTags"]),
        key=lambda row: (str(row["resource"]), str(row["pattern"])),
    )
    return _blocks({"configs": configs, "tags": tags})


def _blocks(parts: dict[str, list[dict[str, Any]]]) -> str:
    blocks = [f'"{name}": [\n' + ",\n".join(map(_compact, rows)) + "\n]" for name, rows in parts.items()]
    return "{\n" + ",\n".join(blocks) + "\n}\n"


def _compact(row: dict[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=False, separators=(",", ":"))


@click.command(help="Make catalogue.json and settings.json from a full catalogue.")
@click.argument("full", type=click.Path(exists=True, path_type=Path))
def main(full: Path) -> None:
    """Write both beside this file."""
    facts = json.loads(full.read_text(encoding="utf-8"))
    CATALOGUE.write_text(text(facts), encoding="utf-8")
    SETTINGS.write_text(settings_text(facts), encoding="utf-8")


if __name__ == "__main__":
    main()
