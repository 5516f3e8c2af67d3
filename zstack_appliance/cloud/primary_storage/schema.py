"""What is stored of a primary storage, whatever its type."""

from __future__ import annotations

import enum
from typing import Annotated

from zstack_appliance.cloud.cluster.schema import Cluster
from zstack_appliance.cloud.host.schema import Host
from zstack_appliance.cloud.zone.schema import Zone
from zstack_appliance.kernel.schema import (
    DELETE,
    DETACH,
    HIDDEN,
    ByteSize,
    Embed,
    Record,
    Ref,
    Resource,
    Uuid,
    resource,
)


class PrimaryStorageState(enum.Enum):
    """What the administrator wants of a primary storage."""

    ENABLED = "Enabled"
    DISABLED = "Disabled"
    MAINTENANCE = "Maintenance"
    DELETING = "Deleting"


class StorageStatus(enum.Enum):
    """Whether a storage answers."""

    CONNECTING = "Connecting"
    CONNECTED = "Connected"
    DISCONNECTED = "Disconnected"


@resource(
    wire="org.zstack.header.storage.primary",
    path="/primary-storage",
    discriminator="type",
    aliases={"cluster": "clusterRef.cluster"},
)
class PrimaryStorage(Resource, frozen=True, kw_only=True):
    """Where volumes of running VMs live. Virtual capacity is what may still be promised to volumes."""

    zone_uuid: Annotated[Uuid, Ref(Zone, back="primaryStorage", on_delete=DELETE)]
    url: str
    type: str
    state: PrimaryStorageState
    status: StorageStatus
    mount_path: str
    total_capacity: ByteSize
    available_capacity: int
    total_physical_capacity: ByteSize
    available_physical_capacity: int
    system_used_capacity: ByteSize


@resource(
    wire="org.zstack.header.storage.primary",
    path="/primary-storage/cluster-refs",
    unique=(("primary_storage_uuid", "cluster_uuid"),),
)
class PrimaryStorageClusterRef(Record, frozen=True, kw_only=True):
    """A primary storage serves the VMs of a cluster."""

    primary_storage_uuid: Annotated[
        Uuid,
        Ref(
            PrimaryStorage,
            back="clusterRef",
            on_delete=DELETE,
            hidden=True,
            embed=Embed(name="attachedClusterUuids", pluck="cluster_uuid"),
        ),
    ]
    cluster_uuid: Annotated[Uuid, Ref(Cluster, back="primaryStorageRef", on_delete=DETACH, hidden=True)]


@resource(
    wire="org.zstack.header.storage.primary",
    path="/primary-storage/imagecache",
    unique=(("primary_storage_uuid", "host_uuid", "image_uuid"),),
    indexes=(("image_uuid",),),
)
class ImageCache(Record, frozen=True, kw_only=True):
    """An image's copy on a primary storage, which linked clones stand on. It outlives its image."""

    primary_storage_uuid: Annotated[Uuid, Ref(PrimaryStorage, back="imageCache", on_delete=DELETE)]
    host_uuid: Annotated[Uuid, Ref(Host, on_delete=DELETE), HIDDEN]
    """The host that holds the copy, for storage that is local to hosts."""
    image_uuid: Uuid
    install_url: str
    media_type: str
    size: ByteSize
    md5sum: str
    state: str


@resource(
    wire="org.zstack.storage.primary.local",
    path="/primary-storage/local-storage/capacities",
    unique=(("primary_storage_uuid", "host_uuid"),),
)
class LocalStorageHostRef(Record, frozen=True, kw_only=True):
    """One host's share of a primary storage that is local to hosts."""

    primary_storage_uuid: Annotated[Uuid, Ref(PrimaryStorage, back="localStorageHostRef", on_delete=DELETE)]
    host_uuid: Annotated[Uuid, Ref(Host, back="localStorageHostRef", on_delete=DELETE)]
    total_capacity: ByteSize
    available_capacity: int
    total_physical_capacity: ByteSize
    available_physical_capacity: int


@resource(wire="org.zstack.appliance")
class SpaceCharge(Record, frozen=True, kw_only=True):
    """What one volume holds of a primary storage; its uuid is the volume's, so that none is charged twice."""

    primary_storage_uuid: Annotated[Uuid, Ref(PrimaryStorage, on_delete=DELETE)]
    host_uuid: Annotated[Uuid, Ref(Host, on_delete=DELETE)]
    size: ByteSize
