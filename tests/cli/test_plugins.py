"""``plugins``, and what plugins of third parties add to the command line."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import AS_ROOT, Run
from tests.test_plugins import PLUGIN, SCHEMA, drop

pytestmark = AS_ROOT


def test_flows_with_who_put_which_step_there(command: Run, tmp_path: Path) -> None:
    data = tmp_path / "data"
    drop(data, "rack", PLUGIN.replace("resources=", STEPS).replace("import Plugin", IMPORTS), SCHEMA)
    flows = data / "flows.toml"
    flows.write_text('[[step]]\nuse = "rack.weigh"\nafter = "host.add/connect"\n')
    shown = command("plugins", "rack", "host", "--data", str(data))
    assert shown.returncode == 0, shown.stderr
    assert f"rack  from the plugin folder {data}/plugins/rack" in shown.stdout
    assert "offers step rack.weigh to flows with Context" in shown.stdout
    assert f"host.add/rack.weigh  keeps: it only looks  [put there by {flows} line 1]" in shown.stdout
    page = json.loads(command("plugins", "host", "--json", "--data", str(data)).stdout)[0]
    assert [(step["id"], step["plugin"]) for step in page["flows"][0]["steps"]] == [
        ("host.add/record", None),
        ("host.add/connect", None),
        ("host.add/rack.weigh", "rack"),
    ]
    flows.write_text('[[step]]\nuse = "rack.wiegh"\nafter = "host.add/connect"\n')
    refused = command("plugins", "host", "--data", str(data))
    assert refused.returncode == 1
    assert f"the flows: {flows} line 1: no plugin offers a step 'rack.wiegh'; write rack.weigh" in refused.stderr
    assert command("plugins", "hst").returncode == 2


IMPORTS = """import Plugin
from zstack_appliance.kernel.flow import Context, Step
from zstack_appliance.kernel.offered import OfferedStep"""
STEPS = """steps=(OfferedStep(Step("weigh", tx=lambda tx, context: None, keeps="it only looks"), fits=Context),),
    resources="""


def test_their_declarations_are_known_where_they_are(command: Run, tmp_path: Path) -> None:
    data = tmp_path / "data"
    drop(data, "rack", PLUGIN, SCHEMA)
    listed = command("--help", ZSTACK_APPLIANCE_DATA=str(data))
    assert " rack," in listed.stdout
    assert "A rack." in command("rack", "--help", ZSTACK_APPLIANCE_DATA=str(data)).stdout
    assert command("rack", "list", "--data", str(data)).returncode == 5
    assert "rack" in command("schema", "show", "rack", ZSTACK_APPLIANCE_DATA=str(data)).stdout
    assert command("rack", "list").returncode == 2


def test_a_broken_one_is_told_and_left_out(command: Run, tmp_path: Path) -> None:
    data = tmp_path / "data"
    folder = drop(data, "rack", "import nothing", "import nothing")
    listed = command("zone", "list", "--data", str(data))
    assert "the plugin rack cannot be read and is left out" in listed.stderr
    shown = command("plugins", "zone", "--data", str(data))
    assert shown.returncode == 1
    assert "CreateZone" in shown.stdout
    assert f"the plugin folder {folder}: it cannot be imported: ModuleNotFoundError" in shown.stderr
    assert f"start without it: mv {folder} {folder}.off" in shown.stderr
