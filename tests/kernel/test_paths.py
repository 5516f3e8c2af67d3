from __future__ import annotations

import pytest

from tests.kernel.small_cloud import Cluster, Host, KvmHost, L3Network, SecurityGroup, VmInstance, VmNic
from tests.kernel.small_store import GRAPH
from zstack_appliance.kernel.conditions import And, Cond, Op, Or, Term
from zstack_appliance.kernel.paths import MAX_HOPS, ends, narrow, resolve, steps
from zstack_appliance.kernel.schema import Record
from zstack_appliance.kernel.tag import SystemTagRow, UserTag

KVM = Cond("hypervisorType", Op.EQ, "KVM")


@pytest.mark.parametrize(
    ("cls", "path", "hops", "field"),
    [
        (VmInstance, "name", [], "name"),
        (VmInstance, "createDate", [], "create_date"),
        (VmInstance, "vmNics.l3Network.name", ["vmNics", "l3Network"], "name"),
        (VmInstance, "defaultL3Network.zone.isDefault", ["defaultL3Network", "zone"], "is_default"),
        (Cluster, "vm.vmNics.ip", ["host", "vmInstance", "vmNics"], "ip"),
        (VmNic, "securityGroup.name", ["securityGroupRef", "securityGroup"], "name"),
        (VmNic, "securityGroupRef.uuid", ["securityGroupRef"], "uuid"),
        (L3Network, "dns", ["dns"], "dns"),
        (L3Network, "dns.dns", ["dns"], "dns"),
        (VmNic, "securityGroupUuids", ["securityGroupRef"], "security_group_uuid"),
        (SecurityGroup, "vmNicRefs.vmNic.ip", ["vmNicRef", "vmNic"], "ip"),
        (KvmHost, "sshPort", [], "ssh_port"),
        (KvmHost, "cluster.name", ["cluster"], "name"),
    ],
)
def test_a_path_is_edges_and_a_field(cls: type[Record], path: str, hops: list[str], field: str) -> None:
    found = resolve(GRAPH, cls, path)
    assert [edge.name for edge in found.hops] == hops
    assert found.field.name == field
    assert found.tags is None


@pytest.mark.parametrize(
    ("path", "tags", "column"),
    [
        ("__userTag__", UserTag, "tag"),
        ("host.cluster.__systemTag__", SystemTagRow, "tag"),
        ("__tagUuid__", UserTag, "tag_pattern_uuid"),
    ],
)
def test_every_resource_has_the_pseudo_fields_of_tags(path: str, tags: type[Record], column: str) -> None:
    found = resolve(GRAPH, VmInstance, path)
    assert (found.tags, found.field.name) == (tags, column)


@pytest.mark.parametrize(
    ("cls", "path", "words"),
    [
        (VmInstance, "nmae", r"^inventory class\[org.zstack.header.vm.VmInstanceInventory\] has no field\[nmae\]"),
        (VmInstance, "nmae", "did you mean name"),
        (VmInstance, "VMNICS.ip", "did you mean vmNics"),
        (
            VmInstance,
            "vmNics.l3network.name",
            r"VmNicInventory\] has no field\[l3network\]; did you mean l3Network",
        ),
        (VmInstance, "qqqqqqqq", "see its inventory for its fields"),
        (VmInstance, "", r"has no field\[\]"),
        (VmInstance, "vmNics.", r"has no field\[\]"),
        (VmInstance, "name.length", r"has no field\[name\]"),
        (VmInstance, "vmNics", r"path\[vmNics\] leads to VmNic and ends; .* as in vmNics.uuid"),
        (Cluster, "vm", "leads to VmInstance and ends"),
        (VmNic, "securityGroupRef", "leads to VmNicSecurityGroupRef and ends"),
        (VmInstance, "process", r"has no field\[process\]"),
        (KvmHost, "password", r"has no field\[password\]"),
        (VmInstance, "memoryMiB", r"has no field\[memoryMiB\]"),
        (Host, "sshPort", "KVMHost has it: add the condition hypervisorType=KVM"),
        (VmInstance, "vmNics.vmInstance." * MAX_HOPS + "name", f"at most {MAX_HOPS} edges"),
    ],
)
def test_a_path_that_does_not_exist_says_what_comes_close(cls: type[Record], path: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        resolve(GRAPH, cls, path)


def test_the_longest_path_is_allowed() -> None:
    path = "vmNics.vmInstance." * (MAX_HOPS // 2) + "name"
    assert len(resolve(GRAPH, VmInstance, path).hops) == MAX_HOPS


@pytest.mark.parametrize(
    ("where", "cls"),
    [
        (KVM, KvmHost),
        (And((Cond("name", Op.EQ, "x"), KVM)), KvmHost),
        (And((Cond("hypervisorType", Op.EQ, "Simulator"),)), Host),
        (And((Cond("hypervisorType", Op.NE, "KVM"),)), Host),
        (And((Cond("hypervisorType", Op.IN, ("KVM",)),)), Host),
        (Or((KVM, Cond("name", Op.EQ, "x"))), Host),
        (And((Cond("cluster.hypervisorType", Op.EQ, "KVM"),)), Host),
        (And(), Host),
    ],
)
def test_an_equation_on_the_discriminator_confines_to_the_subtype(where: Term, cls: type[Record]) -> None:
    assert narrow(GRAPH, Host, where) is cls


def test_resources_without_subtypes_stay_what_they_are() -> None:
    assert narrow(GRAPH, VmInstance, Cond("state", Op.EQ, "Running")) is VmInstance
    assert narrow(GRAPH, KvmHost, KVM) is KvmHost


def test_what_may_follow() -> None:
    assert set(steps(GRAPH, VmNic)) == {"vmInstance", "l3Network", "usedIps", "securityGroup"}
    assert steps(GRAPH, Cluster)["vm"] is VmInstance
    assert set(ends(GRAPH, L3Network)) == {
        "uuid",
        "createDate",
        "lastOpDate",
        "name",
        "description",
        "zoneUuid",
        "system",
        "dns",
        "__userTag__",
        "__systemTag__",
        "__tagUuid__",
    }
