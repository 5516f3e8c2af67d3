"""What primary storages of any type add to the cloud."""

from __future__ import annotations

from zstack_appliance.cloud.host.messages import HostLeaving, InspectHost, PrepareHost
from zstack_appliance.cloud.primary_storage import inspect, service, volumes
from zstack_appliance.cloud.primary_storage.messages import (
    DeletePrimaryStorage,
    DropHostShare,
    LeaveCluster,
    UpdatePrimaryStorage,
)
from zstack_appliance.cloud.primary_storage.schema import (
    ImageCache,
    LocalStorageHostRef,
    PrimaryStorage,
    PrimaryStorageClusterRef,
    SpaceCharge,
)
from zstack_appliance.cloud.primary_storage.tags import TAGS
from zstack_appliance.cloud.primary_storage.ui import PRESENTATIONS
from zstack_appliance.kernel.config import GlobalConfig
from zstack_appliance.kernel.meter import Gauge
from zstack_appliance.kernel.plugin import Plugin
from zstack_appliance.kernel.schema import DELETE, DETACH
from zstack_appliance.kernel.standard import deletes, updates

GAUGES = (
    Gauge("zstack_storage_capacity_bytes", "Space for volumes.", PrimaryStorage, total="total_capacity"),
    Gauge("zstack_storage_available_bytes", "What is left of it.", PrimaryStorage, total="available_capacity"),
)

plugin = Plugin(
    name="primary_storage",
    resources=(PrimaryStorage, PrimaryStorageClusterRef, ImageCache, LocalStorageHostRef, SpaceCharge),
    handlers=(
        service.attach,
        service.detach,
        service.leave,
        service.drop_share,
        service.reconnect,
        volumes.instantiate_root,
        volumes.remove_bits,
        volumes.cache_image,
        updates(UpdatePrimaryStorage),
        service.change_state,
        deletes(DeletePrimaryStorage),
    ),
    hooks=(
        (PrepareHost, service.on_prepare_host),
        (HostLeaving, service.on_host_leaving),
        (InspectHost, inspect.inspect),
    ),
    cascades={
        (PrimaryStorageClusterRef, DETACH): lambda ref, _mode: LeaveCluster(
            primary_storage_uuid=ref.primary_storage_uuid, cluster_uuid=ref.cluster_uuid
        ),
        (LocalStorageHostRef, DELETE): lambda share, _mode: DropHostShare(
            primary_storage_uuid=share.primary_storage_uuid, host_uuid=share.host_uuid
        ),
    },
    tags=TAGS,
    configs=(
        GlobalConfig(
            "primaryStorage",
            "reservedCapacity",
            "1G",
            "Space that each primary storage keeps free, in bytes or with a unit.",
            int,
            low=0,
        ),
        GlobalConfig(
            "mevoco",
            "overProvisioning.primaryStorage",
            "1.0",
            "Bytes that a primary storage promises to volumes for each that it has. Volumes keep their charge.",
            float,
            low=1,
            high=1000,
            bind=("PrimaryStorageVO", "ZoneVO"),
        ),
    ),
    presentations=PRESENTATIONS,
    gauges=GAUGES,
)
