"""Every declared API and inventory against the facts of ZStack's, but for the deviations listed here."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any

from tests.running import every_plugin
from tests.wire.compare import api_differences, row_differences
from tests.wire.make_catalogue import CATALOGUE
from zstack_appliance.kernel.derive.legacy import QueryMessage, messages
from zstack_appliance.kernel.derive.route import CallRoute, QueryRoute, Routes
from zstack_appliance.kernel.edges import Graph
from zstack_appliance.kernel.plugin import handler_of
from zstack_appliance.kernel.schema import describe

OURS = "org.zstack.appliance."
"""The package of what ZStack does not have."""

UNKNOWN = {
    "org.zstack.header.simulator.APIAddSimulatorHostMsg": "simulated hosts are ZStack's tests', not its catalogue's",
}

DEVIATIONS = {
    "API*.clientInfo is missing": "what a client says of itself changes nothing; it is ignored",
    "APILogInByAccountMsg.* is missing": "accounts have one kind of login and no captcha; what is sent is ignored",
    "APIExpungeImageMsg.uuid is missing": "ZStack ignores it beside imageUuid, and so does this",
    "APICreateL3NetworkMsg.ipVersion is missing": "networks are IPv4 in this version; the range says so first",
    "APIUpdateL3NetworkMsg.category is missing": "a network keeps the category that it was made with",
    "APIUpdateL3NetworkMsg.system is missing": "Go's SDK sends false with every update, which must change nothing",
    "APIAddIpRangeByNetworkCidrMsg reply: *": "one call makes one range, so the reply has no list of them",
    "APIDetachNetworkServiceFromL3NetworkMsg *": "a service is named with its provider, never alone in the path",
    "APIDetachNetworkServiceFromL3NetworkMsg.networkServices is required": "nothing else says what to detach",
    "APICreateVmInstanceMsg.virtio is missing": "the image says whether its guest has virtio drivers",
    "APIZQLQueryMsg.zql is required": "a call without a text has nothing to answer",
    "PolicyInventory.description is not ZStack's": "what a policy was made with can be read",
    "BackupStorageInventory -> volumeSnapshot*": "snapshots are not kept on backup storage",
    "PrimaryStorageInventory -> volumeSnapshot is missing": "there are no snapshots yet",
    "VolumeInventory -> snapshot is missing": "there are no snapshots yet",
    "ClusterInventory -> l2VlanNetwork*": "there are no VLAN networks yet",
    "*HostInventory.ipmi* is missing": "hosts are not reached by IPMI",
    "*HostInventory.*Status is missing": "hosts report no hardware sensors",
    "KVMHostInventory.os* is missing": "the host's agent does not report its system yet",
    "ImageInventory.systemTags is missing": "tags are asked for by their own query",
    "ImageBackupStorageRefInventory.export* is missing": "images are not exported yet",
    "UserTagInventory* tagPattern is missing": "there are no tag patterns yet",
    "UserTagInventory.tagPattern is missing": "there are no tag patterns yet",
    "IpRangeInventory.addressMode is missing": "it concerns IPv6",
    "L2NetworkInventory.* is missing": "no virtual or private VLAN network is made yet",
    "L2NetworkClusterRefInventory.l2ProviderType is missing": "every L2 network is a Linux bridge",
    "L3NetworkInventory.isolated is missing": "it concerns private VLANs",
    "L3NetworkInventory.hostRoute is missing": "host routes are not served yet",
    "L3NetworkInventory.reservedIpRanges is missing": "ranges cannot be reserved yet",
    "L3NetworkInventory -> serviceProviderRef is missing": "networkServices are the same rows; the alias exists",
    "NetworkServiceProviderInventory.attachedL2NetworkUuids is missing": "providers serve every L2 network",
    "UsedIpInventory.ipInBinary is missing": "bytes for ZStack's own sorting; ipInLong has the number",
    "VmInstanceInventory* vmCdRoms is missing": "VMs have no CD-ROM drives yet",
    "VmInstanceInventory.vmCdRoms is missing": "VMs have no CD-ROM drives yet",
    "VmInstanceInventory -> rootVolume is missing": "edges follow references; allVolumes.type=Root finds the same",
    "VmNicInventory.metaData is missing": "NICs carry no free text",
    "VmNicInventory.usedIps is missing": "a NIC has one address, which its own fields give; the edge usedIp exists",
    "VolumeInventory.volumeQos is missing": "volumes are not throttled yet",
    "VolumeInventory.protocol is missing": "it concerns block storage",
    "*.id is missing": "rows are named by uuids here, tables of pairs too",
    "*.uuid is not ZStack's": "rows are named by uuids here, tables of pairs too",
    "*.createDate is not ZStack's": "every row here has its dates",
    "*.lastOpDate is not ZStack's": "every row here has its dates",
}
"""Pattern of differences to the reason for them."""


def catalogue() -> dict[str, dict[str, dict[str, Any]]]:
    """Both parts of the catalogue by class."""
    parts: dict[str, list[dict[str, Any]]] = json.loads(CATALOGUE.read_text(encoding="utf-8"))
    return {part: {row["class"]: row for row in rows} for part, rows in parts.items()}


def compare(found: Iterable[str]) -> None:
    """Every difference is a known deviation."""
    unexpected = [line for line in found if not any(fnmatchcase(line, known) for known in DEVIATIONS)]
    assert not unexpected, "\n" + "\n".join(unexpected)


def test_every_api_is_as_zstack_has_it() -> None:
    facts = catalogue()["apis"]
    calls: dict[str, list[CallRoute]] = defaultdict(list)
    for route in routes().all:
        if isinstance(route, CallRoute):
            calls[route.wire].append(route)
    assert len(calls) > 80
    known = {wire: found for wire, found in calls.items() if not wire.startswith(OURS) and wire not in UNKNOWN}
    strangers = known.keys() - facts.keys()
    assert not strangers, f"ZStack has no {strangers}; give it the package {OURS}"
    compare(line for wire, found in known.items() for line in api_differences(found, facts[wire]))


def test_every_query_is_where_zstack_has_it() -> None:
    facts = catalogue()["apis"]
    paths = {(route.resource, route.path) for route in routes().all if isinstance(route, QueryRoute)}
    queries = [each for each in messages([], resources()).values() if isinstance(each, QueryMessage)]
    compared = 0
    for query in queries:
        if query.wire in facts:
            wanted = facts[query.wire]
            compared += 1
            assert (query.resource, wanted["path"]) in paths, query.wire
            assert query.reply == wanted["response"]["class"]
    assert compared > 20


def test_every_inventory_is_as_zstack_has_it() -> None:
    facts = catalogue()["inventories"]
    graph = Graph(resources())
    known = [(cls, facts[describe(cls).inventory]) for cls in graph.resources if describe(cls).inventory in facts]
    assert len(known) > 25
    compare(line for cls, row in known for line in row_differences(graph, cls, row))


def test_no_listed_deviation_is_stale() -> None:
    facts = catalogue()
    graph = Graph(resources())
    found: set[str] = set()
    calls: dict[str, list[CallRoute]] = defaultdict(list)
    for route in routes().all:
        if isinstance(route, CallRoute) and route.wire in facts["apis"]:
            calls[route.wire].append(route)
    for wire, each in calls.items():
        found.update(api_differences(each, facts["apis"][wire]))
    for cls in graph.resources:
        if describe(cls).inventory in facts["inventories"]:
            found.update(row_differences(graph, cls, facts["inventories"][describe(cls).inventory]))
    stale = [known for known in DEVIATIONS if not any(fnmatchcase(line, known) for line in found)]
    assert not stale, f"nothing deviates so any more; take these off the list: {stale}"


def resources() -> list[type[Any]]:
    """Every resource of the built-in plugins."""
    return [cls for plugin in every_plugin() for cls in plugin.resources]


def routes() -> Routes:
    """Every route of the built-in plugins."""
    handled = [handler_of(entry).message for plugin in every_plugin() for entry in plugin.handlers]
    return Routes(handled, resources())
