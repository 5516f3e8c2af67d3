"""Plugins of third parties: found, joined with the rest, or refused with what to do."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.running import running
from zstack_appliance.kernel.errors import Conflict
from zstack_appliance.plugins import installed, look

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="what belongs to others is refused")

SCHEMA = """
from __future__ import annotations
from typing import Annotated
from zstack_appliance.cloud.zone.schema import Zone
from zstack_appliance.kernel.schema import DELETE, Ref, Resource, Uuid, resource

@resource(wire="org.rack", path="/racks")
class Rack(Resource, frozen=True, kw_only=True):
    \"\"\"A rack.\"\"\"
    zone_uuid: Annotated[Uuid, Ref(Zone, back="rack", on_delete=DELETE)]
"""
PLUGIN = """
from zstack_appliance.kernel.plugin import Plugin
from zstack_plugins.rack.schema import Rack
plugin = Plugin(name="rack", resources=(Rack,))
"""
SHELF_SCHEMA = SCHEMA.replace("rack", "shelf").replace("Rack", "Shelf")
SHELF = PLUGIN.replace("rack", "shelf").replace("Rack", "Shelf")


def drop(data: Path, name: str, plugin: str, schema: str = "") -> Path:
    """Put a plugin into the data folder."""
    folder = data / "plugins" / name
    folder.mkdir(parents=True, exist_ok=True)
    for file, text in {"__init__.py": "", "plugin.py": plugin, "schema.py": schema}.items():
        (folder / file).write_text(text)
    return folder


def test_without_any_there_are_the_built_in_ones(tmp_path: Path) -> None:
    assert installed(tmp_path) == look(None).plugins
    assert "zone" in {plugin.name for plugin in installed(tmp_path)}


async def test_one_that_is_dropped_into_a_cloud_gets_its_table(tmp_path: Path) -> None:
    async with running(tmp_path):
        pass
    folder = drop(tmp_path, "rack", PLUGIN, SCHEMA)
    assert look(tmp_path).places == {"rack": f"the plugin folder {folder}"}
    for _ in range(2):
        async with running(tmp_path) as cloud, cloud.login() as admin:
            assert await admin.query("/racks") == []


def test_one_may_build_on_another_that_comes_later(tmp_path: Path) -> None:
    drop(tmp_path, "shelf", SHELF, SHELF_SCHEMA)
    drop(
        tmp_path,
        "rack",
        PLUGIN,
        SCHEMA.replace("zstack_appliance.cloud.zone.schema", "zstack_plugins.shelf.schema").replace("Zone", "Shelf"),
    )
    assert {"rack", "shelf"} < {plugin.name for plugin in installed(tmp_path)}


BROKEN = {
    "an import that fails": ("import nothing_of_this_name", "", "ModuleNotFoundError: No module named", "line 1)"),
    "an import that would end all": ("raise SystemExit(0)", "", "it cannot be imported: SystemExit: 0", "line 1)"),
    "a syntax error": ("plugin =", "", "it cannot be imported: invalid syntax", "plugin.py, line 1)"),
    "no plugin": ("other = 1", "", "AttributeError", "has no attribute 'plugin'"),
    "not a plugin": ("plugin = 1", "", "it has no `plugin = Plugin(...)`, but 1", ""),
    "another name": (SHELF, SHELF_SCHEMA, "its plugin is called 'shelf'; it has to be called 'rack'", ""),
    "a table twice": (
        PLUGIN,
        SCHEMA.replace('path="/racks"', 'table="zone"'),
        "rack brings the table zone, which zone brings already",
        "",
    ),
    "a type twice": (PLUGIN, SCHEMA.replace('path="/racks"', 'vo="ZoneVO"'), "brings the resource type ZoneVO", ""),
    "a route twice": (PLUGIN, SCHEMA.replace("/racks", "/zones"), "both answer GET at /zones", ""),
    "an edge twice": (PLUGIN, SCHEMA.replace('back="rack"', 'back="cluster"'), "Zone gets two edges", ""),
    "a message twice": (
        PLUGIN.replace("resources=", "handlers=(Handler(CreateZone, print),), resources=").replace(
            "import Plugin", "import Handler, Plugin\nfrom zstack_appliance.cloud.zone.messages import CreateZone"
        ),
        SCHEMA,
        "CreateZone has two handlers",
        "",
    ),
    "pages without templates": (
        PLUGIN.replace("resources=", "pages=(Page('a', 'A', '', print),), resources=").replace(
            "import Plugin", "import Plugin\nfrom zstack_appliance.kernel.page import Page"
        ),
        SCHEMA,
        "it has pages, but no folder of templates at None",
        "",
    ),
}


@pytest.mark.parametrize(("plugin", "schema", "text", "place"), BROKEN.values(), ids=BROKEN.keys())
async def test_a_broken_one_keeps_the_appliance_from_starting(
    plugin: str, schema: str, text: str, place: str, tmp_path: Path
) -> None:
    folder = drop(tmp_path, "rack", plugin, schema)
    drop(tmp_path, "shelf", SHELF, SHELF_SCHEMA)
    with pytest.raises(Conflict) as refused:
        async with running(tmp_path):
            pass
    said = str(refused.value)
    assert said.startswith(f"the plugin folder {folder}: ")
    assert text in said
    assert place in said
    assert said.endswith(f"mend it, or start without it: mv {folder} {folder}.off")
    found = look(tmp_path)
    assert list(found.broken) == [f"the plugin folder {folder}"]
    assert list(found.places) == ["shelf"]
    folder.rename(f"{folder}.off")
    async with running(tmp_path):
        pass


def test_a_link_that_leads_to_the_data_folder_is_followed_once(tmp_path: Path) -> None:
    folder = drop(tmp_path / "data", "rack", PLUGIN, SCHEMA)
    (tmp_path / "link").symlink_to(tmp_path / "data")
    assert look(tmp_path / "link").places == {"rack": f"the plugin folder {folder}"}


def test_an_unsafe_folder_is_not_even_imported(tmp_path: Path) -> None:
    folder = drop(tmp_path, "rack", "raise SystemExit('imported')")
    folder.chmod(0o777)
    with pytest.raises(Conflict, match="others may write to"):
        installed(tmp_path)


def test_python_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "acme_rack").mkdir()
    for name, text in {"__init__.py": "", "plugin.py": PLUGIN.replace("zstack_plugins.rack", "acme_rack")}.items():
        (tmp_path / "acme_rack" / name).write_text(text)
    (tmp_path / "acme_rack" / "schema.py").write_text(SCHEMA)
    about = tmp_path / "acme_rack-1.2.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-rack\nVersion: 1.2\n")
    (about / "entry_points.txt").write_text("[zstack_appliance.plugins]\nrack = acme_rack.plugin:plugin\n")
    monkeypatch.syspath_prepend(tmp_path)
    try:
        assert look(None).places == {"rack": "the Python package acme-rack 1.2"}
        (tmp_path / "acme_rack" / "plugin.py").write_text("raise ValueError('no')\n")
        del sys.modules["acme_rack.plugin"]
        [(place, text)] = look(None).broken.items()
    finally:
        for name in [name for name in sys.modules if name.startswith("acme_rack")]:
            del sys.modules[name]
    assert place == "the Python package acme-rack 1.2"
    assert "ValueError: no" in text
    assert text.endswith("start without it: pip uninstall acme-rack")
