"""The first VM: made once, started if it is stopped, and asked until it answers."""

from __future__ import annotations

import logging

import trio

from agents.process import run
from zstack_appliance.appliance import Appliance
from zstack_appliance.cloud.image.schema import Image
from zstack_appliance.cloud.instance_offering.schema import InstanceOffering
from zstack_appliance.cloud.l3_network.schema import L3Network
from zstack_appliance.cloud.vm_instance.messages import CreateVmInstance, StartVmInstance
from zstack_appliance.cloud.vm_instance.schema import VmInstance, VmNic, VmState
from zstack_appliance.hostkit.marks import namespace_name
from zstack_appliance.kernel.errors import Unavailable
from zstack_appliance.kernel.instance import Instance
from zstack_appliance.kernel.principal import SYSTEM

log = logging.getLogger(__name__)

NAME = "first-vm"
ANSWER_SECONDS = 240.0
"""How long a guest may take to answer: seconds under KVM, a minute or more where everything is emulated."""

_PAUSE_SECONDS = 0.2


async def make_first_vm(appliance: Appliance) -> None:
    """Have the first VM running, and say when it answers.

    Raises:
        CloudError: it cannot be made or started, or does not answer in time.
    """
    began = trio.current_time()
    vm = await _have(appliance)
    nic = appliance.kernel.store.find(VmNic, vm_instance_uuid=vm.uuid)[0]
    instance = appliance.kernel.as_system().use(Instance)
    namespace = namespace_name(instance.id, nic.l3_network_uuid)
    with trio.move_on_after(ANSWER_SECONDS):
        text = await _ask(namespace, nic.ip or "")
        seconds = trio.current_time() - began
        log.info("VM %s answers at http://%s/ after %.1f s: %s", vm.name, nic.ip, seconds, text)
        return
    raise Unavailable(f"VM {vm.name} runs, but did not answer at {nic.ip} within {ANSWER_SECONDS:g} s")


async def _have(appliance: Appliance) -> VmInstance:
    store = appliance.kernel.store
    found = store.find(VmInstance, name=NAME)
    if not found:
        made: VmInstance = await appliance.portal.serve(
            CreateVmInstance(
                name=NAME,
                image_uuid=store.find(Image, name="tiny")[0].uuid,
                instance_offering_uuid=store.find(InstanceOffering, name="tiny")[0].uuid,
                l3_network_uuids=(store.find(L3Network, name="net1")[0].uuid,),
            ),
            SYSTEM,
        )
        return made
    if found[0].state is VmState.STOPPED:
        started: VmInstance = await appliance.portal.serve(StartVmInstance(uuid=found[0].uuid), SYSTEM)
        return started
    return found[0]


async def _ask(namespace: str, ip: str) -> str:
    """The first line of the guest's web page, seen from its own network, as soon as there is one."""
    argv = ["ip", "netns", "exec", namespace, "curl", "-s", "-m", "2", f"http://{ip}/"]
    while True:
        answer = await run(argv, check=False)
        if answer.returncode == 0 and answer.stdout.strip():
            return answer.stdout.strip().splitlines()[0]
        await trio.sleep(_PAUSE_SECONDS)
