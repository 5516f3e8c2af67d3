"""The command line as a program: what it prints, and how it ends."""

from __future__ import annotations

import json
import resource
import stat
from pathlib import Path

import pytest

from tests.cli.conftest import AS_ROOT, PASSWORD, Run, Simulated

HELP_SECONDS = 0.25


def test_help_is_quick_and_names_everything(command: Run) -> None:
    # Processor time, because a wait for a busy machine says nothing about the program.
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    shown = command("--help")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    took = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert shown.returncode == 0
    for word in ("login", "purge", "vm-instance", "l3-network", "Exit status", "5  the appliance cannot be reached"):
        assert word in shown.stdout
    assert took < HELP_SECONDS


def test_login_keeps_a_session_for_this_user_alone(command: Run, simulated: Simulated, state: Path) -> None:
    refused = command("login", "--password", "wrong", "--url", simulated.url)
    assert (refused.returncode, "wrong account name or password" in refused.stderr) == (3, True)
    assert command("login", "--url", simulated.url, ZSTACK_ADMIN_PASSWORD=PASSWORD).returncode == 0
    kept = state / "zstack-appliance" / "session"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600

    zones = command("zone", "list", "--json")
    assert "zone1" in {zone["name"] for zone in json.loads(zones.stdout)}
    session = json.loads(kept.read_text())["uuid"]
    assert command("logout").returncode == 0
    assert not kept.exists()
    kept.write_text(json.dumps({"url": simulated.url, "uuid": session, "account": "admin"}))
    ended = command("zone", "list")
    assert (ended.returncode, "log in" in ended.stderr) == (3, True)


def test_not_logged_in_is_3_and_nobody_there_is_5(command: Run, simulated: Simulated, tmp_path: Path) -> None:
    assert command("vm", "list", "--url", simulated.url).returncode == 3
    for place in (("--url", "127.0.0.1:1"), ("--data", str(tmp_path / "none"))):
        silent = command("vm", "list", *place)
        assert (silent.returncode, "no appliance answers" in silent.stderr) == (5, True)


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (("zne", "list"), "did you mean zone?"),
        (("zone", "lst"), "No such command"),
        (("zone", "create", "a", "nme=b"), "did you mean name?"),
        (("zone", "create"), "CreateZone needs --name"),
        (("api", "CreateZon", "name=z"), "did you mean CreateZone"),
        (("api", "CreateZone", "name=a", "name=b"), "given twice"),
        (("api", "CreateInstanceOffering", "name=a", "cpuNum=many", "memorySize=1"), "whole number"),
        (("query", "VmInstanc"), "did you mean VmInstance"),
        (("query", "VmInstance", "name"), "any query operator"),
        (("zone", "list", "--url", "ftp://x"), "no URL of an appliance"),
        (("bench", "create-vms", "--counts", "x"), "--counts takes numbers"),
    ],
)
@AS_ROOT
def test_a_wrong_command_line_is_2(zs: Run, argv: tuple[str, ...], told: str) -> None:
    wrong = zs(*argv)
    assert (wrong.returncode, told in wrong.stderr) == (2, True), wrong.stderr


@AS_ROOT
def test_a_vm_from_create_to_expunge(zs: Run) -> None:
    offered = ("--image", "tiny", "--instance-offering", "tiny", "--l3-network", "net1")
    made = zs("vm", "create", "web", *offered, "--json")
    assert made.returncode == 0, made.stderr
    vm = json.loads(made.stdout)
    assert vm["state"] == "Running"

    listed = zs("vm", "list", "name=web")
    assert listed.stdout.splitlines()[0].split() == ["name", "uuid", "state", "cpuNum", "memorySize", "vmNics.ip"]
    assert vm["vmNics"][0]["ip"] in listed.stdout
    assert zs("vm", "console", "web").stdout == "vnc://127.0.0.1:5900\n"
    by_ip = zs("query", "QueryVmInstance", f"vmNics.ip={vm['vmNics'][0]['ip']}", "hostUuid!=null", "--fields", "name")
    assert by_ip.stdout.split() == ["name", "web"]
    assert zs("query", "vm", "name=web", "--count").stdout == "1\n"

    (job,) = json.loads(zs("job", "list", "api~=%CreateVm%", "--sort", "-createDate", "--limit", "1", "--json").stdout)
    steps = zs("job", "show", job["uuid"]).stdout
    assert "vm_instance.create/start_on_hypervisor: done in" in steps
    over = zs("job", "cancel", job["uuid"])
    assert (over.returncode, "nothing to cancel" in over.stderr) == (1, True)

    stopped = zs("api", "StopVmInstance", "uuid=web", "type=cold", "--json")
    assert json.loads(stopped.stdout)["inventory"]["state"] == "Stopped"
    renamed = zs("vm", "update", "web", "--name", "web 2", "description=a, b = c", "--json")
    assert json.loads(renamed.stdout)["description"] == "a, b = c"

    twin = zs("vm", "create", "web 2", *offered)
    assert twin.returncode == 0
    ambiguous = zs("vm", "show", "web 2")
    assert (ambiguous.returncode, vm["uuid"] in ambiguous.stderr) == (2, True)
    for uuid in (row["uuid"] for row in json.loads(zs("vm", "list", "name=web 2", "--json").stdout)):
        assert zs("vm", "delete", uuid).stdout == "done\n"
        assert zs("vm", "expunge", uuid).returncode == 0
    gone = zs("vm", "show", "web 2")
    assert (gone.returncode, gone.stderr) == (4, "Error: there is no VmInstance [web 2]\n")


@AS_ROOT
def test_a_refusal_is_1_and_says_why(zs: Run) -> None:
    huge = zs("instance-offering", "create", "huge", "--cpu-num", "900", "--memory-size", "4G")
    assert huge.returncode == 0, huge.stderr
    refused = zs("vm", "create", "big", "imageUuid=tiny", "instanceOfferingUuid=huge", "l3NetworkUuids=net1")
    assert refused.returncode == 1
    assert "HOST_ALLOCATION.1000" in refused.stderr
    assert "host1" in refused.stderr
    assert zs("offering", "delete", "huge").returncode == 0


@AS_ROOT
def test_ordinary_accounts_log_in_and_are_kept_out(zs: Run, command: Run, simulated: Simulated) -> None:
    assert zs("account", "create", "jo", "--password", "secret").returncode == 0
    assert command("login", "jo", "--password", "secret", "--url", simulated.url).returncode == 0
    forbidden = command("zone", "create", "hers")
    assert (forbidden.returncode, "only an administrator" in forbidden.stderr) == (3, True)
    assert json.loads(command("vm", "list", "--json").stdout) == []


@AS_ROOT
def test_orphans_of_a_simulated_cloud(zs: Run) -> None:
    assert json.loads(zs("doctor", "--orphans", "--json").stdout) == []
    assert zs("doctor", "--orphans").stdout == "hosts and records agree\n"


@AS_ROOT
def test_bench_measures_and_clears_up(zs: Run) -> None:
    measured = zs("bench", "create-vms", "--counts", "1,12", "--concurrency", "4", "--json")
    assert measured.returncode == 0, measured.stderr
    one, twelve = json.loads(measured.stdout)
    assert (one["vms"], one["seedSeconds"], twelve["vms"], twelve["seedSeconds"]) == (1, 0.51, 12, None)
    assert one["ratio"] == pytest.approx(0.51 / one["seconds"], rel=0.1)
    assert zs("query", "vm", "name~=bench-%", "--count").stdout == "0\n"
    table = zs("bench", "create-vms", "--counts", "2", "--image", "none")
    assert (table.returncode, "there is no Image [none]" in table.stderr) == (4, True)


def test_purge_of_a_simulated_cloud_in_use(command: Run, simulated: Simulated) -> None:
    busy = command("purge", "--data", str(simulated.data), "--yes")
    assert (busy.returncode, "is in use by process" in busy.stderr) == (1, True)
    assert simulated.data.exists()


def test_purge_takes_data_folders_only(command: Run, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    refused = command("purge", "--data", str(precious), "--yes")
    assert (refused.returncode, "is no data folder" in refused.stderr) == (1, True)
    assert precious.exists()
    assert "nothing to do" in command("purge", "--data", str(tmp_path / "none"), "--yes").stdout
    (precious / "instance").write_text("abcdef\n")
    unsure = command("purge", "--data", str(precious))
    assert (unsure.returncode, precious.exists()) == (1, True)


def test_pages(command: Run) -> None:
    plugins = command("plugins").stdout
    assert "flow vm_instance.create" in plugins
    assert "vm_instance.create/start_on_hypervisor  undone by" in plugins
    assert {page["name"] for page in json.loads(command("plugins", "--json").stdout)} >= {"zone", "job", "vm_instance"}
    shown = command("schema", "show", "L3Network").stdout
    for part in ('CREATE TABLE "l3_network"', "POST /l3-networks", "APICreateL3NetworkMsg", "ipRanges -> many IpRange"):
        assert part in shown
    assert "name is not null" in command("schema", "conditions", "zone").stdout
    assert "Zone name is not null" in command("schema", "conditions").stdout.splitlines()
    counted = command("schema", "conditions", "zone", "--count", "--hops", "1").stdout.splitlines()
    listed = command("schema", "conditions", "zone", "--hops", "1").stdout.splitlines()
    assert counted[-1].split() == ["1", f"{len(listed):,}"]
    assert command("schema", "coverage").stdout.splitlines()[-1].startswith("in all")
    assert "APICreateZoneMsg" not in command("schema", "coverage", "--missing").stdout
    assert {part["part"] for part in json.loads(command("schema", "coverage", "--json").stdout)} >= {"zones"}
