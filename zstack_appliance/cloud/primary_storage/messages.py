"""What can be asked of primary storages."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from zstack_appliance.cloud.cluster.schema import Cluster
from zstack_appliance.cloud.primary_storage.driver import VolumeBits
from zstack_appliance.cloud.primary_storage.schema import PrimaryStorage
from zstack_appliance.cloud.zone.schema import Zone
from zstack_appliance.kernel.message import ADMIN, Action, Create, Delete, Request, StateEvent, Update, api
from zstack_appliance.kernel.schema import Name, Ref, Text, Uuid
from zstack_appliance.kernel.unserved import UNSERVED


@api("PUT", "/primary-storage/{uuid}/actions", access=ADMIN)
class UpdatePrimaryStorage(Update[PrimaryStorage], frozen=True, kw_only=True):
    """Change a primary storage's name or description."""

    uuid: Annotated[Uuid, Ref(PrimaryStorage)]
    name: Name | None = None
    description: Text | None = None
    url: Annotated[str, msgspec.Meta(max_length=2048), UNSERVED] | None = None


@api("PUT", "/primary-storage/{uuid}/actions", access=ADMIN)
class ChangePrimaryStorageState(Action[PrimaryStorage], frozen=True, kw_only=True):
    """Enable a primary storage, or keep new volumes off it."""

    uuid: Annotated[Uuid, Ref(PrimaryStorage)]
    state_event: StateEvent


@api("PUT", "/primary-storage/{uuid}/actions", access=ADMIN)
class ReconnectPrimaryStorage(Action[PrimaryStorage], frozen=True, kw_only=True):
    """Connect to a primary storage anew and measure it."""

    uuid: Annotated[Uuid, Ref(PrimaryStorage)]


@api("DELETE", "/primary-storage/{uuid}", access=ADMIN, reply=None)
class DeletePrimaryStorage(Delete, frozen=True, kw_only=True):
    """Take a primary storage out of the cloud."""

    uuid: Annotated[Uuid, Ref(PrimaryStorage)]


@api("POST", "/clusters/{clusterUuid}/primary-storage/{primaryStorageUuid}", access=ADMIN)
class AttachPrimaryStorageToCluster(Action[PrimaryStorage], frozen=True, kw_only=True):
    """Let the VMs of a cluster keep volumes on a primary storage."""

    cluster_uuid: Annotated[Uuid, Ref(Cluster)]
    primary_storage_uuid: Annotated[Uuid, Ref(PrimaryStorage)]


@api("DELETE", "/clusters/{clusterUuid}/primary-storage/{primaryStorageUuid}", access=ADMIN)
class DetachPrimaryStorageFromCluster(Action[PrimaryStorage], frozen=True, kw_only=True):
    """Take a primary storage from a cluster; refused while VMs of the cluster have volumes on it."""

    cluster_uuid: Annotated[Uuid, Ref(Cluster)]
    primary_storage_uuid: Annotated[Uuid, Ref(PrimaryStorage)]


@api(
    "POST",
    "/primary-storage/local-storage",
    access=ADMIN,
    wire="org.zstack.storage.primary.local",
    answer="org.zstack.header.storage.primary.APIAddPrimaryStorageEvent",
)
class AddLocalPrimaryStorage(Create[PrimaryStorage], frozen=True, kw_only=True):
    """Keep volumes in a folder on each host of the clusters that it is attached to."""

    url: Annotated[str, msgspec.Meta(max_length=2048)]
    name: Name
    zone_uuid: Annotated[Uuid, Ref(Zone)]
    description: Text | None = None
    type: Literal["LocalStorage"] | None = None


class InstantiateRootVolume(Request[VolumeBits], frozen=True, kw_only=True):
    """Have the bits of a root volume where its row says: a linked clone of its image. Safe to repeat."""

    volume_uuid: Uuid


class RemoveVolumeBits(Request[None], frozen=True, kw_only=True):
    """Have no bits of a volume where its row says. Safe to repeat."""

    volume_uuid: Uuid


class CacheImage(Request[None], frozen=True, kw_only=True):
    """Have an image's copy on a primary storage, as one host reaches it. Safe to repeat."""

    primary_storage_uuid: Uuid
    host_uuid: Uuid
    image_uuid: Uuid


class LeaveCluster(Request[None], frozen=True, kw_only=True):
    """A cluster goes: detach the primary storage from it."""

    primary_storage_uuid: Uuid
    cluster_uuid: Uuid


class DropHostShare(Request[None], frozen=True, kw_only=True):
    """A host goes, or the primary storage itself: forget what the host has of it."""

    primary_storage_uuid: Uuid
    host_uuid: Uuid
