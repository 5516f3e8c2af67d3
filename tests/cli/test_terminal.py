"""A terminal at a VM's serial port."""

from __future__ import annotations

import json

import pexpect

from tests.cli.conftest import AS_ROOT, Run, Start
from zstack_appliance.cli.place import Place
from zstack_appliance.cli.terminal import console_url


def test_the_door_is_where_the_appliance_is() -> None:
    ticket = {"token": "t", "hostname": "10.0.0.1", "port": 1}
    assert console_url(Place("http://localhost"), ticket) == "ws://localhost/console/ws?token=t"
    assert console_url(Place("https://cloud:8443"), ticket) == "wss://cloud:8443/console/ws?token=t"


@AS_ROOT
def test_a_person_types_and_leaves_and_the_terminal_is_as_before(start: Start, zs: Run) -> None:
    offered = ("--image", "tiny", "--instance-offering", "tiny", "--l3-network", "net1")
    vm = json.loads(zs("vm", "create", "serial-vm", *offered, "--json").stdout)
    shell = start(["bash", "--norc", "-i"])
    shell.sendline(
        "stty -a > before; zstack-appliance vm serial serial-vm; stty -a > after; cmp before after && echo sa''me"
    )
    shell.expect(f"simulated VM {vm['uuid']}")
    shell.send("hello\r")
    shell.expect("hello\r\n")
    shell.send("\x1d")
    shell.expect("left; the VM goes on")
    shell.sendline("cmp before after && echo sa''me")
    shell.expect("same")

    shell.sendline("zstack-appliance vm serial serial-vm; echo sta''tus $?")
    shell.expect(f"simulated VM {vm['uuid']}")
    shell.send("\x1d")
    shell.expect("status 0")
    assert zs("vm", "stop", "serial-vm").returncode == 0
    shell.sendline("zstack-appliance vm serial serial-vm; echo sta''tus $?")
    shell.expect("Stopped")
    shell.expect("status 1")
    shell.sendline("exit")
    shell.expect(pexpect.EOF)


@AS_ROOT
def test_without_a_terminal_there_is_nothing_to_type_at(zs: Run) -> None:
    assert zs("vm", "serial", "none-such").returncode == 4
