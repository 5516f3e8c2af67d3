"""Completion in the shells themselves, at a terminal."""

from __future__ import annotations

import pexpect
import pytest

from tests.cli.conftest import AS_ROOT, Run, Start


@AS_ROOT
@pytest.mark.parametrize(
    ("argv", "prepare"),
    [
        (["bash", "--norc", "-i"], "source <(zstack-appliance completion bash)"),
        (["zsh", "-f", "-i"], "autoload -U compinit; compinit -u; source <(zstack-appliance completion zsh)"),
    ],
)
def test_a_shell_completes_names_paths_and_values(start: Start, argv: list[str], prepare: str) -> None:
    shell = start(argv)
    shell.sendline(f"{prepare}; echo prep''ared")
    shell.expect("prepared")
    shell.send("zstack-appliance zone show zo\t")
    shell.expect("zone1 ")
    shell.sendline("--json")
    shell.expect('"isDefault": true')
    # Typed in one go, so that what is there at the end can only have come from completion.
    shell.send("zstack-appliance l3-network list ipRan\t")
    shell.expect_exact("ipRanges.")
    shell.send("networkC\t=10.0.0.0/16 l2Network.clus\tname=clu\t")
    shell.expect_exact("cluster1")
    shell.sendline("--fields name")
    shell.expect("net1")


@AS_ROOT
def test_the_seeds_own_shell_is_there(start: Start) -> None:
    shell = start(["zstack-appliance", "shell"])
    shell.expect(">>>")
    shell.send("QueryVmInstance vmNics.\t\t")
    shell.expect_exact("[Query Conditions:]")
    shell.expect_exact("vmNics.l3Network.")
    shell.expect_exact("vmNics.ip=")
    shell.sendline("ip=192.168.0.249")
    shell.expect('"inventories": \\[\\]')
    shell.sendline("zone list nonsense=1")
    shell.expect("has no field.nonsense.")
    shell.sendline("CreateZone name=from-shell")
    shell.expect('"name": "from-shell"')
    shell.send("DeleteZone uuid=from\t\n")
    shell.expect_exact("{}")
    shell.sendline("exit")
    shell.expect(pexpect.EOF)


def test_an_unknown_shell_is_refused(command: Run) -> None:
    assert command("completion", "tcsh").returncode == 2
    assert command("completion", "offer", "bash", "zstack-appliance zone show zo").stdout == ""
