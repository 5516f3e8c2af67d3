-- The tables of a fresh database. Made from the declarations by `python -m tests.derived --write`.

CREATE TABLE "account" (
  "uuid" TEXT NOT NULL PRIMARY KEY,
  "create_date" INTEGER NOT NULL,
  "last_op_date" INTEGER NOT NULL,
  "name" TEXT NOT NULL,
  "description" TEXT,
  "type" TEXT NOT NULL CHECK ("type" IN ('SystemAdmin', 'Normal')),
  "password" TEXT NOT NULL,
  "owner_uuid" TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX "account__name" ON "account" ("name");
CREATE INDEX "account__create_date__uuid" ON "account" ("create_date", "uuid");
CREATE INDEX "account__owner_uuid__create_date__uuid" ON "account" ("owner_uuid", "create_date", "uuid");
CREATE TABLE "audit" (
  "uuid" TEXT NOT NULL PRIMARY KEY,
  "create_date" INTEGER NOT NULL,
  "last_op_date" INTEGER NOT NULL,
  "api" TEXT NOT NULL,
  "source" TEXT NOT NULL,
  "request" TEXT NOT NULL,
  "account_uuid" TEXT,
  "user_uuid" TEXT,
  "resource_uuid" TEXT,
  "finished_date" INTEGER,
  "duration" INTEGER,
  "success" INTEGER CHECK ("success" IN (0, 1)),
  "error" TEXT,
  "job_uuid" TEXT,
  "owner_uuid" TEXT NOT NULL
) STRICT;
CREATE INDEX "audit__create_date" ON "audit" ("create_date");
CREATE INDEX "audit__resource_uuid" ON "audit" ("resource_uuid");
CREATE INDEX "audit__create_date__uuid" ON "audit" ("create_date", "uuid");
CREATE INDEX "audit__owner_uuid__create_date__uuid" ON "audit" ("owner_uuid", "create_date", "uuid");
CREATE TABLE "backup_storage" (
  "uuid" TEXT NOT NULL PRIMARY KEY,
  "create_date" INTEGER NOT NULL,
  "last_op_date" INTEGER NOT NULL,
  "name" TEXT NOT NULL,
  "description" TEXT,
  "url" TEXT NOT NULL,
  "type" TEXT NOT NULL,
  "state" TEXT NOT NULL CHECK ("state" IN ('Enabled', 'Disabled')),
  "status" TEXT NOT NULL CHECK ("status" IN ('Connecting', 'Connected', 'Disconnected')),
  "total_capacity" INTEGER NOT NULL,
  "available_capacity" INTEGER NOT NULL,
  "host_uuid" TEXT REFERENCES "host" ("uuid") ON DELETE NO ACTION DEFERRABLE INITIALLY DEFERRED,
  "owner_uuid" TEXT NOT NULL
) STRICT;
CREATE INDEX "backup_storage__host_uuid" ON "backup_storage" ("host_uuid");
CREATE INDEX "backup_storage__name" ON "backup_storage" ("name");
CREATE INDEX "backup_storage__create_date__uuid" ON "backup_storage" ("create_date", "uuid");
CREATE TABLE "backup_storage_zone_ref" (
  "uuid" TEXT NOT NULL PRIMARY KEY,
  "create_date" INTEGER NOT NULL,
  "last_op_date" INTEGER NOT NULL,
  "backup_storage_uuid" TEXT NOT NULL REFERENCES "backup_storage" ("uuid") ON DELETE NO ACTION DEFERRABLE INITIALLY DEFERRED,
  "zone_uuid" TEXT NOT NULL REFERENCES "zone" ("uuid") ON DELETE NO ACTION DEFERRABLE INITIALLY DEFERRED,
  "owner_uuid" TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX "backup_storage_zone_ref__backup_storage_uuid__zone_uuid" ON "backup_storage_zone_ref" ("backup_storage_uuid", "zone_uuid");
CREATE INDEX "backup_storage_zone_ref__zone_uuid" ON "backup_storage_zone_ref" ("zone_uuid");
CREATE INDEX "backup_storage_zone_ref__create_date__uuid" ON "backup_storage_zone_ref" ("create_date", "uuid");
CREATE TABLE "cluster" (
  "uuid" TEXT NOT NULL PRIMARY KEY,
  "create_date" INTEGER NOT NULL,
  "last_op_date" INTEGER NOT NULL,
  "name" TEXT NOT NULL,
  "description" TEXT,
  "zone_uuid" TEXT NOT NULL REFERENCES "zone" ("uuid") ON DELETE NO ACTION DEFERRABLE INITIALLY DEFERRED,
  "hypervisor_type" TEXT NOT NULL,
  "state" TEXT NOT NULL CHECK ("state" IN ('Enabled', 'Disabled')),
  "type" TEXT NOT NULL,
  "architecture" TEXT,
  "owner_uuid" TEXT NOT NULL
) STRICT;
CREATE INDEX "cluster__zone_uuid" ON "cluster" ("zone_uuid");
CREATE INDEX "cluster__name" ON "cluster" ("name");
CREATE INDEX "cluster__create_date__uuid" ON "cluster" ("create_date", "uuid");
CREATE TABLE "disk_offering" (
  "uuid" TEXT NOT NULL PRIMARY KEY,
  "create_date" INTEGER NOT NULL,
  "last_op_date" INTEGER NOT NULL,
  "name" TEXT NOT NULL,
  "description" TEXT,
  "disk_size" INTEGER NOT NULL,
  "sort_key" INTEGER NOT NULL,
  "state" TEXT NOT NULL CHECK ("state" IN ('Enabled', 'Disabled')),
  "type" TEXT NOT NULL,
  "allocator_strategy" TEXT NOT NULL,
  "owner_uuid" TEXT NOT NULL
) STRICT;
CREATE INDEX "disk_offering__name" ON "disk_offering" ("name");
CREATE INDEX "disk_offering__create_date__uuid" ON "disk_offering" ("create_date", "uuid");
CREATE INDEX "disk_offering__owner_uuid__create_date__uuid" ON "disk_offering" ("owner_uuid", "create_date", "uuid");
CREATE TABLE "fallen_vm" (
  "uuid" TEXT NOT NULL PRIMARY KEY,
  "create_date" INTEGER NOT NULL,
  "last_op_date" INTEGER NOT NULL,
  "vm_instance_uuid" TEXT NOT NULL REFERENCES "vm_instance" ("uuid") ON DELETE NO ACTION DEFERRABLE INITIALLY DEFERRED,
  "owner_uuid" TEXT NOT NULL
) STRICT;
CREATE INDEX "fallen_vm__vm_instance_uuid" ON "fallen_vm" ("vm_instance_uuid");
CREATE TABLE "flow_run" (
  "uuid" TEXT NOT NULL PRIMARY KEY,
  "create_date" INTEGER NOT NULL,
  "last_op_date" INTEGER NOT NULL,
  "flow" TEXT NOT NULL,
  "state" TEXT NOT NULL CHECK ("state" IN ('Forward', 'Backward', 'Done', 'Unwound', 'Stuck')),
  "plan" TEXT NOT NULL,
  "pivot" INTEGER NOT NULL,
  "position" INTEGER NOT NULL,
  "context" TEXT NOT NULL,
  "keys" TEXT NOT NULL,
  "steps" TEXT NOT NULL,
  "job_uuid" TEXT,
  "error" TEXT,
  "node_uuid" TEXT,
  "node_epoch" INTEGER,
  "recovered" INTEGER CHECK ("recovered" IN (0, 1)),
  "owner_uuid" TEXT NOT NULL
) STRICT;
CREATE INDEX "flow_run__job_uuid" ON "flow_run" ("job_uuid");
CREATE INDEX "flow_run__state" ON "flow_run" ("state");
CREATE TABLE "global_config" (
  "uuid" TEXT NOT NULL PRIMARY KEY,
  "create_date" INTEGER NOT NULL,
  "last_op_date" INTEGER NOT NULL,
  "category" TEXT NOT NULL,
  "name" TEXT NOT NULL,
  "description" TEXT NOT NULL,
  "default_value" TEXT NOT NULL,
  "value" TEXT NOT NULL,
  "owner_uuid" TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX "global_config__category__name" ON "global_config" ("category", "name");
CREATE INDEX "global_config__name" ON "global_config" ("name");
CREATE INDEX "global_config__create_date__uuid" ON "global_config" ("create_date", "uuid");
CREATE TABLE "host" (
  "uuid" TEXT NOT NULL PRIMARY KEY,
  "create_date" INTEGER NOT NULL,
  "last_op_date" INTEGER NOT NULL,
  "name" TEXT NOT NULL,
  "description" TEXT,
  "zone_uuid" TEXT NOT NULL REFERENCES "zone" ("uuid") ON DELETE NO ACTION DEFERRABLE INITIALLY DEFERRED,
  "cluster_uuid" TEXT NOT NULL REFERENCES "cluster" ("uuid") ON DELETE NO ACTION DEFERRABLE INITIALLY DEFERRED,
  "management_ip" TEXT NOT NULL,
  "hypervisor_type" TEXT NOT NULL,
  "state" TEXT NOT NULL CHECK ("state" IN ('Enabled', 'Disabled', 'PreMaintenance', 'Maintenance')),
  "status" TEXT NOT NULL CHECK ("status" IN ('Connecting', 'Connected', 'Disconnected')),
  "cpu_num" INTEGER NOT NULL,
  "cpu_sockets" INTEGER NOT NULL,
  "total_cpu_capacity" INTEGER NOT NULL,
  "available_cpu_capacity" INTEGER NOT NULL,
  "total_memory_capacity" INTEGER NOT NULL,
  "available_memory_capacity" INTEGER NOT NULL,
  "vm_count" INTEGER NOT NULL,
  "architecture" TEXT,
  "boot_id" TEXT,
  "owner_uuid" TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX "host__management_ip" ON "host" ("management_ip");
CREATE INDEX "host__status" ON "host" ("status");
CREATE INDEX "host__zone_uuid" ON "host" ("zone_uuid");
CREATE INDEX "host__cluster_uuid" ON "host" ("cluster_uuid");
CREATE INDEX "host__name" ON "host" ("name");
CREATE INDEX "host__create_date__uuid" ON "host" ("create_date", "uuid");
CREATE TABLE "host_charge" (
  "uuid" TEXT NOT NULL PRIMARY KEY,
  "create_date" INTEGER NOT NULL,
  "last_op_date" INTEGER NOT NULL,
  "vm_uuid" TEXT NOT NULL,
  "host_uuid" TEXT NOT NULL REFERENCES "host" ("uuid") ON DELETE NO ACTION DEFERRABLE INITIALLY DEFERRED,
  "cpu" INTEGER NOT NULL,
  "memory" INTEGER NOT NULL,
  "owner_uuid" TEXT NOT NULL
) STRICT;
CREATE INDEX "host_charge__vm_uuid" ON "host_charge" ("vm_uuid");
CREATE INDEX "host_charge__host_uuid" ON "host_charge" ("host_uuid");
CREATE TABLE "image" (
  "uuid" TEXT NOT NULL PRIMARY KEY,
  "create_date" INTEGER NOT NULL,
  "last_op_date" INTEGER NOT NULL,
  "name" TEXT NOT NULL,
  "description" TEXT,
  "state" TEXT NOT NULL CHECK ("state" IN ('Enabled', 'Disabled')),
  "status" TEXT NOT NULL CHECK ("status" IN ('Creating', 'Downloading', 'Ready', 'Deleted', 'Error')),
  "size" INTEGER NOT NULL,
  "actual_size" INTEGER NOT NULL,
  "media_type" TEXT NOT NULL CHECK ("media_type" IN ('RootVolumeTemplate', 'DataVolumeTemplate', 'ISO')),
  "platform" TEXT NOT NULL,
  "format" TEXT NOT NULL,
  "type" TEXT NOT NULL,
  "url" TEXT NOT NULL,
  "system" INTEGER NOT NULL CHECK ("system" IN (0, 1)),
  "virtio" INTEGER NOT NULL CHECK ("virtio" IN (0, 1)),
  "md5_sum" TEXT,
  "guest_os_type" TEXT,
  "architecture" TEXT,
  "owner_uuid" TEXT NOT NULL
) STRICT;
CREATE INDEX "image__name" ON "image" ("name");
CREATE INDEX "image__create_date__uuid" ON "image" ("create_date", "uuid");
CREATE INDEX "image__owner_uuid__create_date__uuid" ON "image" ("owner_uuid", "create_date", "uuid");
CREATE TABLE "image_backup_storage_ref" (
  "uuid" TEXT NOT NULL PRIMARY KEY,
  "create_date" INTEGER NOT NULL,
  "last_op_date" INTEGER NOT NULL,
  "image_uuid" TEXT NOT NULL REFERENCES "image" ("uuid") ON DELETE NO ACTION DEFERRABLE INITIALLY DEFERRED,
  "backup_storage_uuid" TEXT NOT NULL REFERENCES "backup_storage" ("uuid") ON DELETE NO ACTION DEFERRABLE INITIALLY DEFERRED,
  "install_path" TEXT NOT NULL,
  "status" TEXT NOT NULL CHECK ("status" IN ('Creating', 'Downloading', 'Ready', 'Deleted', 'Error')),
  "sha256" TEXT,
  "owner_uuid" TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX "image_backup_storage_ref__image_uuid__backup_storage_uuid" ON "image_backup_storage_ref" ("image_uuid", "backup_storage_uuid");
CREATE INDEX "image_backup_storage_ref__backup_storage_uuid" ON "image_backup_storage_ref" ("backup_storage_uuid");
CREATE INDEX "image_backup_storage_ref__create_date__uuid" ON "image_backup_storage_ref" ("create_date", "uuid");
CREATE TABLE "image_cache" (
  "uuid" TEXT NOT NULL PRIMARY KEY,
  "create_date" INTEGER NOT NULL,
  "last_op_date" INTEGER NOT NULL,
  "primary_storage_uuid" TEXT NOT NULL REFERENCES "primary_storage" ("uuid") ON DELETE NO ACTION DEFERRABLE INITIALLY DEFERRED,
  "host_uuid" TEXT NOT NULL REFERENCES "host" ("uuid") ON DELETE NO ACTION DEFERRABLE INITIALLY DEFERRED,
  "image_uuid" TEXT NOT NULL,
  "install_url" TEXT NOT NULL,
  "media_type" TEXT NOT NULL,
  "size" INTEGER NOT NULL,
  "md5sum" TEXT NOT NULL,
  "state" TEXT NOT NULL,
  "owner_uuid" TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX "image_cache__primary_storage_uuid__host_uuid__image_uuid" ON "image_cache" ("primary_storage_uuid", "host_uuid", "image_uuid");
CREATE INDEX "image_cache__image_uuid" ON "image_cache" ("image_uuid");
CREATE INDEX "image_cache__host_uuid" ON "image_cache" ("host_uuid");
CREATE INDEX "image_cache__create_date__uuid" ON "image_cache" ("create_date", "uuid");
CREATE TABLE "instance_offering" (
  "uuid" TEXT NOT NULL PRIMARY KEY,
  "create_date" INTEGER NOT NULL,
  "last_op_date" INTEGER NOT NULL,
  "name" TEXT NOT NULL,
  "description" TEXT,
  "cpu_num" INTEGER NOT NULL,
  "cpu_speed" INTEGER NOT NULL,
  "memory_size" INTEGER NOT NULL,
  "reserved_memory_size" INTEGER NOT NULL,
  "type" TEXT NOT NULL,
  "allocator_strategy" TEXT NOT NULL,
  "sort_key" INTEGER NOT NULL,
  "state" TEXT NOT NULL CHECK ("state" IN ('Enabled', 'Disabled')),
  "owner_uuid" TEXT NOT NULL
) STRICT;
CREATE INDEX "instance_offering__name" ON "instance_offering" ("name");
CREATE INDEX "instance_offering__create_date__uuid" ON "instance_offering" ("create_date", "uuid");
CREATE INDEX "instance_offering__owner_uuid__create_date__uuid" ON "instance_offering" ("owner_uuid", "create_date", "uuid");
CREATE TABLE "ip_range" (
  "uuid" TEXT NOT NULL PRIMARY KEY,
  "create_date" INTEGER NOT NULL,
  "last_op_date" INTEGER NOT NULL,
  "name" TEXT NOT NULL,
  "description" TEXT,
  "l3_network_uuid" TEXT NOT NULL REFERENCES "l3_network" ("uuid") ON DELETE NO ACTION DEFERRABLE INITIALLY DEFERRED,
  "start_ip" TEXT NOT NULL,
  "end_ip" TEXT NOT NULL,
  "netmask" TEXT NOT NULL,
  "prefix_len" INTEGER NOT NULL,
  "gateway" TEXT NOT NULL,
  "network_cidr" TEXT NOT NULL,
  "ip_version" INTEGER NOT NULL,
  "ip_range_type" TEXT NOT NULL CHECK ("ip_range_type" IN ('Normal', 'AddressPool')),
  "start_number" INTEGER NOT NULL,
  "end_number" INTEGER NOT NULL,
  "owner_uuid" TEXT NOT NULL
) STRICT;
CREATE INDEX "ip_range__l3_network_uuid" ON "ip_range" ("l3_network_uuid");
CREATE INDEX "ip_range__name" ON "ip_range" ("name");
CREATE INDEX "ip_range__create_date__uuid" ON "ip_range" ("create_date", "uuid");
CREATE INDEX "ip_range__owner_uuid__create_date__uuid" ON "ip_range" ("owner_uuid", "create_date", "uuid");
CREATE TABLE "job" (
  "uuid" TEXT NOT NULL PRIMARY KEY,
  "create_date" INTEGER NOT NULL,
  "last_op_date" INTEGER NOT NULL,
  "api" TEXT NOT NULL,
  "state" TEXT NOT NULL CHECK ("state" IN ('Running', 'Succeeded', 'Failed')),
  "timeout" INTEGER NOT NULL,
  "request" TEXT NOT NULL,
  "finished_date" INTEGER,
  "result" TEXT,
  "error" TEXT,
  "node_uuid" TEXT,
  "node_epoch" INTEGER,
  "owner_uuid" TEXT NOT NULL
) STRICT;
CREATE INDEX "job__state" ON "job" ("state");
CREATE INDEX "job__create_date__uuid" ON "job" ("create_date", "uuid");
CREATE INDEX "job__owner_uuid__create_date__uuid" ON "job" ("owner_uuid", "create_date", "uuid");
CREATE TABLE "kernel_change" (
  "number" INTEGER NOT NULL PRIMARY KEY,
  "at" INTEGER NOT NULL,
  "body" BLOB NOT NULL
) STRICT;
CREATE TABLE "kernel_change_of" (
  "uuid" TEXT NOT NULL,
  "number" INTEGER NOT NULL,
  PRIMARY KEY ("uuid", "number")
) STRICT, WITHOUT ROWID;
CREATE TABLE "kernel_sequence" (
  "name" TEXT NOT NULL PRIMARY KEY,
  "value" INTEGER NOT NULL CHECK ("value" > 0)
) STRICT, WITHOUT ROWID;
CREATE TABLE "kvm_host" (
  "uuid" TEXT NOT NULL PRIMARY KEY REFERENCES "host" ("uuid") ON DELETE NO ACTION DEFERRABLE INITIALLY DEFERRED,
  "username" TEXT NOT NULL,
  "ssh_port" INTEGER NOT NULL
) STRICT;
CREATE TABLE "l2_network" (
  "uuid" TEXT NOT NULL PRIMARY KEY,
  "create_date" INTEGER NOT NULL,
  "last_op_date" INTEGER NOT NULL,
  "name" TEXT NOT NULL,
  "description" TEXT,
  "zone_uuid" TEXT NOT NULL REFERENCES "zone" ("uuid") ON DELETE NO ACTION DEFERRABLE INITIALLY DEFERRED,
  "physical_interface" TEXT NOT NULL,
  "type" TEXT NOT NULL,
  "v_switch_type" TEXT NOT NULL,
  "owner_uuid" TEXT NOT NULL
) STRICT;
CREATE INDEX "l2_network__zone_uuid" ON "l2_network" ("zone_uuid");
CREATE INDEX "l2_network__name" ON "l2_network" ("name");
CREATE INDEX "l2_network__create_date__uuid" ON "l2_network" ("create_date", "uuid");
CREATE TABLE "l2_network_cluster_ref" (
  "uuid" TEXT NOT NULL PRIMARY KEY,
  "create_date" INTEGER NOT NULL,
  "last_op_date" INTEGER NOT NULL,
  "l2_network_uuid" TEXT NOT NULL REFERENCES "l2_network" ("uuid") ON DELETE NO ACTION DEFERRABLE INITIALLY DEFERRED,
  "cluster_uuid" TEXT NOT NULL REFERENCES "cluster" ("uuid") ON DELETE NO ACTION DEFERRABLE INITIALLY DEFERRED,
  "owner_uuid" TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX "l2_network_cluster_ref__l2_network_uuid__cluster_uuid" ON "l2_network_cluster_ref" ("l2_network_uuid", "cluster_uuid");
CREATE INDEX "l2_network_cluster_ref__cluster_uuid" ON "l2_network_cluster_ref" ("cluster_uuid");
CREATE INDEX "l2_network_cluster_ref__create_date__uuid" ON "l2_network_cluster_ref" ("create_date", "uuid");
CREATE TABLE "l3_network" (
  "uuid" TEXT NOT NULL PRIMARY KEY,
  "create_date" INTEGER NOT NULL,
  "last_op_date" INTEGER NOT NULL,
  "name" TEXT NOT NULL,
  "description" TEXT,
  "l2_network_uuid" TEXT NOT NULL REFERENCES "l2_network" ("uuid") ON DELETE NO ACTION DEFERRABLE INITIALLY DEFERRED,
  "zone_uuid" TEXT NOT NULL REFERENCES "zone" ("uuid") ON DELETE NO ACTION DEFERRABLE INITIALLY DEFERRED,
  "type" TEXT NOT NULL,
  "category" TEXT NOT NULL CHECK ("category" IN ('Public', 'Private', 'System')),
  "state" TEXT NOT NULL CHECK ("state" IN ('Enabled', 'Disabled')),
  "system" INTEGER NOT NULL CHECK ("system" IN (0, 1)),
  "ip_version" INTEGER NOT NULL,
  "enable_ipam" INTEGER NOT NULL CHECK ("enable_ipam" IN (0, 1)),
  "dns_domain" TEXT,
  "owner_uuid" TEXT NOT NULL
) STRICT;
CREATE INDEX "l3_network__l2_network_uuid" ON "l3_network" ("l2_network_uuid");
CREATE INDEX "l3_network__zone_uuid" ON "l3_network" ("zone_uuid");
CREATE INDEX "l3_network__name" ON "l3_network" ("name");
CREATE INDEX "l3_network__create_date__uuid" ON "l3_network" ("create_date", "uuid");
CREATE INDEX "l3_network__owner_uuid__create_date__uuid" ON "l3_network" ("owner_uuid", "create_date", "uuid");
CREATE TABLE "l3_network_dns" (
  "uuid" TEXT NOT NULL PRIMARY KEY,
  "create_date" INTEGER NOT NULL,
  "last_op_date" INTEGER NOT NULL,
  "l3_network_uuid" TEXT NOT NULL REFERENCES "l3_network" ("uuid") ON DELETE NO ACTION DEFERRABLE INITIALLY DEFERRED,
  "dns" TEXT NOT NULL,
  "owner_uuid" TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX "l3_network_dns__l3_network_uuid__dns" ON "l3_network_dns" ("l3_network_uuid", "dns");
CREATE INDEX "l3_network_dns__owner_uuid" ON "l3_network_dns" ("owner_uuid");
CREATE TABLE "local_storage_host_ref" (
  "uuid" TEXT NOT NULL PRIMARY KEY,
  "create_date" INTEGER NOT NULL,
  "last_op_date" INTEGER NOT NULL,
  "primary_storage_uuid" TEXT NOT NULL REFERENCES "primary_storage" ("uuid") ON DELETE NO ACTION DEFERRABLE INITIALLY DEFERRED,
  "host_uuid" TEXT NOT NULL REFERENCES "host" ("uuid") ON DELETE NO ACTION DEFERRABLE INITIALLY DEFERRED,
  "total_capacity" INTEGER NOT NULL,
  "available_capacity" INTEGER NOT NULL,
  "total_physical_capacity" INTEGER NOT NULL,
  "available_physical_capacity" INTEGER NOT NULL,
  "owner_uuid" TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX "local_storage_host_ref__primary_storage_uuid__host_uuid" ON "local_storage_host_ref" ("primary_storage_uuid", "host_uuid");
CREATE INDEX "local_storage_host_ref__host_uuid" ON "local_storage_host_ref" ("host_uuid");
CREATE INDEX "local_storage_host_ref__create_date__uuid" ON "local_storage_host_ref" ("create_date", "uuid");
CREATE TABLE "management_node" (
  "uuid" TEXT NOT NULL PRIMARY KEY,
  "create_date" INTEGER NOT NULL,
  "last_op_date" INTEGER NOT NULL,
  "host_name" TEXT NOT NULL,
  "join_date" INTEGER NOT NULL,
  "heart_beat" INTEGER NOT NULL,
  "state" TEXT NOT NULL CHECK ("state" IN ('Running', 'Leaving')),
  "epoch" INTEGER NOT NULL,
  "owner_uuid" TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX "management_node__host_name" ON "management_node" ("host_name");
CREATE UNIQUE INDEX "management_node__epoch" ON "management_node" ("epoch");
CREATE INDEX "management_node__create_date__uuid" ON "management_node" ("create_date", "uuid");
CREATE TABLE "namespace_router" (
  "uuid" TEXT NOT NULL PRIMARY KEY,
  "create_date" INTEGER NOT NULL,
  "last_op_date" INTEGER NOT NULL,
  "l3_network_uuid" TEXT NOT NULL REFERENCES "l3_network" ("uuid") ON DELETE NO ACTION DEFERRABLE INITIALLY DEFERRED,
  "host_uuid" TEXT NOT NULL REFERENCES "host" ("uuid") ON DELETE NO ACTION DEFERRABLE INITIALLY DEFERRED,
  "in_line" INTEGER NOT NULL CHECK ("in_line" IN (0, 1)),
  "public_ip_uuid" TEXT REFERENCES "used_ip" ("uuid") ON DELETE NO ACTION DEFERRABLE INITIALLY DEFERRED,
  "owner_uuid" TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX "namespace_router__l3_network_uuid" ON "namespace_router" ("l3_network_uuid");
CREATE INDEX "namespace_router__host_uuid" ON "namespace_router" ("host_uuid");
CREATE INDEX "namespace_router__public_ip_uuid" ON "namespace_router" ("public_ip_uuid");
CREATE INDEX "namespace_router__create_date__uuid" ON "namespace_router" ("create_date", "uuid");
CREATE TABLE "network_service_l3_network_ref" (
  "uuid" TEXT NOT NULL PRIMARY KEY,
  "create_date" INTEGER NOT NULL,
  "last_op_date" INTEGER NOT NULL,
  "l3_network_uuid" TEXT NOT NULL REFERENCES "l3_network" ("uuid") ON DELETE NO ACTION DEFERRABLE INITIALLY DEFERRED,
  "network_service_provider_uuid" TEXT NOT NULL REFERENCES "network_service_provider" ("uuid") ON DELETE NO ACTION DEFERRABLE INITIALLY DEFERRED,
  "network_service_type" TEXT NOT NULL,
  "owner_uuid" TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX "network_service_l3_network_ref__l3_network_uuid__network_service_type" ON "network_service_l3_network_ref" ("l3_network_uuid", "network_service_type");
CREATE INDEX "network_service_l3_network_ref__network_service_provider_uuid" ON "network_service_l3_network_ref" ("network_service_provider_uuid");
CREATE INDEX "network_service_l3_network_ref__create_date__uuid" ON "network_service_l3_network_ref" ("create_date", "uuid");
CREATE INDEX "network_service_l3_network_ref__owner_uuid__create_date__uuid" ON "network_service_l3_network_ref" ("owner_uuid", "create_date", "uuid");
CREATE TABLE "network_service_provider" (
  "uuid" TEXT NOT NULL PRIMARY KEY,
  "create_date" INTEGER NOT NULL,
  "last_op_date" INTEGER NOT NULL,
  "name" TEXT NOT NULL,
  "description" TEXT,
  "type" TEXT NOT NULL,
  "network_service_types" TEXT NOT NULL,
  "owner_uuid" TEXT NOT NULL
) STRICT;
CREATE INDEX "network_service_provider__name" ON "network_service_provider" ("name");
CREATE INDEX "network_service_provider__create_date__uuid" ON "network_service_provider" ("create_date", "uuid");
CREATE TABLE "plugin_record" (
  "uuid" TEXT NOT NULL PRIMARY KEY,
  "create_date" INTEGER NOT NULL,
  "last_op_date" INTEGER NOT NULL,
  "name" TEXT NOT NULL,
  "tables" TEXT NOT NULL,
  "kinds" TEXT NOT NULL,
  "references" TEXT NOT NULL,
  "owner_uuid" TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX "plugin_record__name" ON "plugin_record" ("name");
CREATE TABLE "policy" (
  "uuid" TEXT NOT NULL PRIMARY KEY,
  "create_date" INTEGER NOT NULL,
  "last_op_date" INTEGER NOT NULL,
  "name" TEXT NOT NULL,
  "description" TEXT,
  "account_uuid" TEXT NOT NULL REFERENCES "account" ("uuid") ON DELETE NO ACTION DEFERRABLE INITIALLY DEFERRED,
  "statements" TEXT NOT NULL,
  "owner_uuid" TEXT NOT NULL
) STRICT;
CREATE INDEX "policy__account_uuid" ON "policy" ("account_uuid");
CREATE INDEX "policy__name" ON "policy" ("name");
CREATE INDEX "policy__create_date__uuid" ON "policy" ("create_date", "uuid");
CREATE INDEX "policy__owner_uuid__create_date__uuid" ON "policy" ("owner_uuid", "create_date", "uuid");
CREATE TABLE "primary_storage" (
  "uuid" TEXT NOT NULL PRIMARY KEY,
  "create_date" INTEGER NOT NULL,
  "last_op_date" INTEGER NOT NULL,
  "name" TEXT NOT NULL,
  "description" TEXT,
  "zone_uuid" TEXT NOT NULL REFERENCES "zone" ("uuid") ON DELETE NO ACTION DEFERRABLE INITIALLY DEFERRED,
  "url" TEXT NOT NULL,
  "type" TEXT NOT NULL,
  "state" TEXT NOT NULL CHECK ("state" IN ('Enabled', 'Disabled', 'Maintenance', 'Deleting')),
  "status" TEXT NOT NULL CHECK ("status" IN ('Connecting', 'Connected', 'Disconnected')),
  "mount_path" TEXT NOT NULL,
  "total_capacity" INTEGER NOT NULL,
  "available_capacity" INTEGER NOT NULL,
  "total_physical_capacity" INTEGER NOT NULL,
  "available_physical_capacity" INTEGER NOT NULL,
  "system_used_capacity" INTEGER NOT NULL,
  "owner_uuid" TEXT NOT NULL
) STRICT;
CREATE INDEX "primary_storage__zone_uuid" ON "primary_storage" ("zone_uuid");
CREATE INDEX "primary_storage__name" ON "primary_storage" ("name");
CREATE INDEX "primary_storage__create_date__uuid" ON "primary_storage" ("create_date", "uuid");
CREATE TABLE "primary_storage_cluster_ref" (
  "uuid" TEXT NOT NULL PRIMARY KEY,
  "create_date" INTEGER NOT NULL,
  "last_op_date" INTEGER NOT NULL,
  "primary_storage_uuid" TEXT NOT NULL REFERENCES "primary_storage" ("uuid") ON DELETE NO ACTION DEFERRABLE INITIALLY DEFERRED,
  "cluster_uuid" TEXT NOT NULL REFERENCES "cluster" ("uuid") ON DELETE NO ACTION DEFERRABLE INITIALLY DEFERRED,
  "owner_uuid" TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX "primary_storage_cluster_ref__primary_storage_uuid__cluster_uuid" ON "primary_storage_cluster_ref" ("primary_storage_uuid", "cluster_uuid");
CREATE INDEX "primary_storage_cluster_ref__cluster_uuid" ON "primary_storage_cluster_ref" ("cluster_uuid");
CREATE INDEX "primary_storage_cluster_ref__create_date__uuid" ON "primary_storage_cluster_ref" ("create_date", "uuid");
CREATE TABLE "quota" (
  "uuid" TEXT NOT NULL PRIMARY KEY,
  "create_date" INTEGER NOT NULL,
  "last_op_date" INTEGER NOT NULL,
  "name" TEXT NOT NULL,
  "identity_uuid" TEXT NOT NULL REFERENCES "account" ("uuid") ON DELETE NO ACTION DEFERRABLE INITIALLY DEFERRED,
  "identity_type" TEXT NOT NULL,
  "value" INTEGER NOT NULL,
  "owner_uuid" TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX "quota__identity_uuid__name" ON "quota" ("identity_uuid", "name");
CREATE INDEX "quota__name" ON "quota" ("name");
CREATE INDEX "quota__create_date__uuid" ON "quota" ("create_date", "uuid");
CREATE TABLE "resource_config" (
  "uuid" TEXT NOT NULL PRIMARY KEY,
  "create_date" INTEGER NOT NULL,
  "last_op_date" INTEGER NOT NULL,
  "resource_uuid" TEXT NOT NULL,
  "resource_type" TEXT NOT NULL,
  "category" TEXT NOT NULL,
  "name" TEXT NOT NULL,
  "description" TEXT NOT NULL,
  "value" TEXT NOT NULL,
  "owner_uuid" TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX "resource_config__resource_uuid__category__name" ON "resource_config" ("resource_uuid", "category", "name");
CREATE INDEX "resource_config__category__name" ON "resource_config" ("category", "name");
CREATE INDEX "resource_config__name" ON "resource_config" ("name");
CREATE INDEX "resource_config__create_date__uuid" ON "resource_config" ("create_date", "uuid");
CREATE INDEX "resource_config__owner_uuid__create_date__uuid" ON "resource_config" ("owner_uuid", "create_date", "uuid");
CREATE TABLE "session" (
  "uuid" TEXT NOT NULL PRIMARY KEY,
  "create_date" INTEGER NOT NULL,
  "last_op_date" INTEGER NOT NULL,
  "account_uuid" TEXT NOT NULL REFERENCES "account" ("uuid") ON DELETE NO ACTION DEFERRABLE INITIALLY DEFERRED,
  "admin" INTEGER NOT NULL CHECK ("admin" IN (0, 1)),
  "expired_date" INTEGER NOT NULL,
  "user_uuid" TEXT,
  "owner_uuid" TEXT NOT NULL
) STRICT;
CREATE INDEX "session__account_uuid" ON "session" ("account_uuid");
CREATE INDEX "session__user_uuid" ON "session" ("user_uuid");
CREATE TABLE "shared_resource" (
  "uuid" TEXT NOT NULL PRIMARY KEY,
  "create_date" INTEGER NOT NULL,
  "last_op_date" INTEGER NOT NULL,
  "owner_account_uuid" TEXT NOT NULL,
  "to_public" INTEGER NOT NULL CHECK ("to_public" IN (0, 1)),
  "resource_type" TEXT NOT NULL,
  "resource_uuid" TEXT NOT NULL,
  "receiver_account_uuid" TEXT,
  "owner_uuid" TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX "shared_resource__resource_uuid__receiver_account_uuid" ON "shared_resource" ("resource_uuid", "receiver_account_uuid");
CREATE INDEX "shared_resource__to_public__resource_uuid" ON "shared_resource" ("to_public", "resource_uuid");
CREATE INDEX "shared_resource__receiver_account_uuid" ON "shared_resource" ("receiver_account_uuid");
CREATE INDEX "shared_resource__create_date__uuid" ON "shared_resource" ("create_date", "uuid");
CREATE INDEX "shared_resource__owner_uuid__create_date__uuid" ON "shared_resource" ("owner_uuid", "create_date", "uuid");
CREATE TABLE "simulated_host" (
  "uuid" TEXT NOT NULL PRIMARY KEY REFERENCES "host" ("uuid") ON DELETE NO ACTION DEFERRABLE INITIALLY DEFERRED,
  "simulated_cpus" INTEGER NOT NULL,
  "simulated_memory" INTEGER NOT NULL
) STRICT;
CREATE TABLE "space_charge" (
  "uuid" TEXT NOT NULL PRIMARY KEY,
  "create_date" INTEGER NOT NULL,
  "last_op_date" INTEGER NOT NULL,
  "primary_storage_uuid" TEXT NOT NULL REFERENCES "primary_storage" ("uuid") ON DELETE NO ACTION DEFERRABLE INITIALLY DEFERRED,
  "host_uuid" TEXT NOT NULL REFERENCES "host" ("uuid") ON DELETE NO ACTION DEFERRABLE INITIALLY DEFERRED,
  "size" INTEGER NOT NULL,
  "owner_uuid" TEXT NOT NULL
) STRICT;
CREATE INDEX "space_charge__primary_storage_uuid" ON "space_charge" ("primary_storage_uuid");
CREATE INDEX "space_charge__host_uuid" ON "space_charge" ("host_uuid");
CREATE TABLE "system_tag" (
  "uuid" TEXT NOT NULL PRIMARY KEY,
  "create_date" INTEGER NOT NULL,
  "last_op_date" INTEGER NOT NULL,
  "resource_uuid" TEXT NOT NULL,
  "resource_type" TEXT NOT NULL,
  "tag" TEXT NOT NULL,
  "type" TEXT NOT NULL,
  "inherent" INTEGER NOT NULL CHECK ("inherent" IN (0, 1)),
  "owner_uuid" TEXT NOT NULL
) STRICT;
CREATE INDEX "system_tag__resource_uuid" ON "system_tag" ("resource_uuid");
CREATE INDEX "system_tag__tag" ON "system_tag" ("tag");
CREATE INDEX "system_tag__create_date__uuid" ON "system_tag" ("create_date", "uuid");
CREATE INDEX "system_tag__owner_uuid__create_date__uuid" ON "system_tag" ("owner_uuid", "create_date", "uuid");
CREATE TABLE "used_ip" (
  "uuid" TEXT NOT NULL PRIMARY KEY,
  "create_date" INTEGER NOT NULL,
  "last_op_date" INTEGER NOT NULL,
  "ip_range_uuid" TEXT NOT NULL REFERENCES "ip_range" ("uuid") ON DELETE NO ACTION DEFERRABLE INITIALLY DEFERRED,
  "l3_network_uuid" TEXT NOT NULL REFERENCES "l3_network" ("uuid") ON DELETE NO ACTION DEFERRABLE INITIALLY DEFERRED,
  "ip" TEXT NOT NULL,
  "ip_in_long" INTEGER NOT NULL,
  "ip_version" INTEGER NOT NULL,
  "netmask" TEXT NOT NULL,
  "gateway" TEXT NOT NULL,
  "used_for" TEXT,
  "vm_nic_uuid" TEXT,
  "owner_uuid" TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX "used_ip__l3_network_uuid__ip_in_long" ON "used_ip" ("l3_network_uuid", "ip_in_long");
CREATE INDEX "used_ip__ip_range_uuid" ON "used_ip" ("ip_range_uuid");
CREATE INDEX "used_ip__create_date__uuid" ON "used_ip" ("create_date", "uuid");
CREATE INDEX "used_ip__owner_uuid__create_date__uuid" ON "used_ip" ("owner_uuid", "create_date", "uuid");
CREATE TABLE "user" (
  "uuid" TEXT NOT NULL PRIMARY KEY,
  "create_date" INTEGER NOT NULL,
  "last_op_date" INTEGER NOT NULL,
  "name" TEXT NOT NULL,
  "description" TEXT,
  "account_uuid" TEXT NOT NULL REFERENCES "account" ("uuid") ON DELETE NO ACTION DEFERRABLE INITIALLY DEFERRED,
  "password" TEXT NOT NULL,
  "owner_uuid" TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX "user__account_uuid__name" ON "user" ("account_uuid", "name");
CREATE INDEX "user__name" ON "user" ("name");
CREATE INDEX "user__create_date__uuid" ON "user" ("create_date", "uuid");
CREATE INDEX "user__owner_uuid__create_date__uuid" ON "user" ("owner_uuid", "create_date", "uuid");
CREATE TABLE "user_group" (
  "uuid" TEXT NOT NULL PRIMARY KEY,
  "create_date" INTEGER NOT NULL,
  "last_op_date" INTEGER NOT NULL,
  "name" TEXT NOT NULL,
  "description" TEXT,
  "account_uuid" TEXT NOT NULL REFERENCES "account" ("uuid") ON DELETE NO ACTION DEFERRABLE INITIALLY DEFERRED,
  "owner_uuid" TEXT NOT NULL
) STRICT;
CREATE INDEX "user_group__account_uuid" ON "user_group" ("account_uuid");
CREATE INDEX "user_group__name" ON "user_group" ("name");
CREATE INDEX "user_group__create_date__uuid" ON "user_group" ("create_date", "uuid");
CREATE INDEX "user_group__owner_uuid__create_date__uuid" ON "user_group" ("owner_uuid", "create_date", "uuid");
CREATE TABLE "user_group_policy_ref" (
  "uuid" TEXT NOT NULL PRIMARY KEY,
  "create_date" INTEGER NOT NULL,
  "last_op_date" INTEGER NOT NULL,
  "group_uuid" TEXT NOT NULL REFERENCES "user_group" ("uuid") ON DELETE NO ACTION DEFERRABLE INITIALLY DEFERRED,
  "policy_uuid" TEXT NOT NULL REFERENCES "policy" ("uuid") ON DELETE NO ACTION DEFERRABLE INITIALLY DEFERRED,
  "owner_uuid" TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX "user_group_policy_ref__group_uuid__policy_uuid" ON "user_group_policy_ref" ("group_uuid", "policy_uuid");
CREATE INDEX "user_group_policy_ref__policy_uuid" ON "user_group_policy_ref" ("policy_uuid");
CREATE TABLE "user_group_user_ref" (
  "uuid" TEXT NOT NULL PRIMARY KEY,
  "create_date" INTEGER NOT NULL,
  "last_op_date" INTEGER NOT NULL,
  "user_uuid" TEXT NOT NULL REFERENCES "user" ("uuid") ON DELETE NO ACTION DEFERRABLE INITIALLY DEFERRED,
  "group_uuid" TEXT NOT NULL REFERENCES "user_group" ("uuid") ON DELETE NO ACTION DEFERRABLE INITIALLY DEFERRED,
  "owner_uuid" TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX "user_group_user_ref__user_uuid__group_uuid" ON "user_group_user_ref" ("user_uuid", "group_uuid");
CREATE INDEX "user_group_user_ref__group_uuid" ON "user_group_user_ref" ("group_uuid");
CREATE TABLE "user_policy_ref" (
  "uuid" TEXT NOT NULL PRIMARY KEY,
  "create_date" INTEGER NOT NULL,
  "last_op_date" INTEGER NOT NULL,
  "user_uuid" TEXT NOT NULL REFERENCES "user" ("uuid") ON DELETE NO ACTION DEFERRABLE INITIALLY DEFERRED,
  "policy_uuid" TEXT NOT NULL REFERENCES "policy" ("uuid") ON DELETE NO ACTION DEFERRABLE INITIALLY DEFERRED,
  "owner_uuid" TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX "user_policy_ref__user_uuid__policy_uuid" ON "user_policy_ref" ("user_uuid", "policy_uuid");
CREATE INDEX "user_policy_ref__policy_uuid" ON "user_policy_ref" ("policy_uuid");
CREATE TABLE "user_tag" (
  "uuid" TEXT NOT NULL PRIMARY KEY,
  "create_date" INTEGER NOT NULL,
  "last_op_date" INTEGER NOT NULL,
  "resource_uuid" TEXT NOT NULL,
  "resource_type" TEXT NOT NULL,
  "tag" TEXT NOT NULL,
  "type" TEXT NOT NULL,
  "tag_pattern_uuid" TEXT,
  "owner_uuid" TEXT NOT NULL
) STRICT;
CREATE INDEX "user_tag__resource_uuid" ON "user_tag" ("resource_uuid");
CREATE INDEX "user_tag__tag" ON "user_tag" ("tag");
CREATE INDEX "user_tag__create_date__uuid" ON "user_tag" ("create_date", "uuid");
CREATE INDEX "user_tag__owner_uuid__create_date__uuid" ON "user_tag" ("owner_uuid", "create_date", "uuid");
CREATE TABLE "vm_instance" (
  "uuid" TEXT NOT NULL PRIMARY KEY,
  "create_date" INTEGER NOT NULL,
  "last_op_date" INTEGER NOT NULL,
  "name" TEXT NOT NULL,
  "description" TEXT,
  "state" TEXT NOT NULL CHECK ("state" IN ('Created', 'Starting', 'Running', 'Stopping', 'Stopped', 'Rebooting', 'Pausing', 'Paused', 'Resuming', 'Destroying', 'Destroyed', 'Expunging', 'Unknown', 'Crashed', 'NoState', 'Error')),
  "type" TEXT NOT NULL,
  "hypervisor_type" TEXT NOT NULL,
  "platform" TEXT NOT NULL,
  "cpu_num" INTEGER NOT NULL,
  "cpu_speed" INTEGER NOT NULL,
  "memory_size" INTEGER NOT NULL,
  "reserved_memory_size" INTEGER NOT NULL,
  "allocator_strategy" TEXT NOT NULL,
  "zone_uuid" TEXT REFERENCES "zone" ("uuid") ON DELETE NO ACTION DEFERRABLE INITIALLY DEFERRED,
  "cluster_uuid" TEXT REFERENCES "cluster" ("uuid") ON DELETE NO ACTION DEFERRABLE INITIALLY DEFERRED,
  "host_uuid" TEXT REFERENCES "host" ("uuid") ON DELETE NO ACTION DEFERRABLE INITIALLY DEFERRED,
  "last_host_uuid" TEXT REFERENCES "host" ("uuid") ON DELETE NO ACTION DEFERRABLE INITIALLY DEFERRED,
  "image_uuid" TEXT REFERENCES "image" ("uuid") ON DELETE NO ACTION DEFERRABLE INITIALLY DEFERRED,
  "instance_offering_uuid" TEXT REFERENCES "instance_offering" ("uuid") ON DELETE NO ACTION DEFERRABLE INITIALLY DEFERRED,
  "default_l3_network_uuid" TEXT REFERENCES "l3_network" ("uuid") ON DELETE NO ACTION DEFERRABLE INITIALLY DEFERRED,
  "root_volume_uuid" TEXT,
  "guest_os_type" TEXT,
  "architecture" TEXT,
  "owner_uuid" TEXT NOT NULL
) STRICT;
CREATE INDEX "vm_instance__state" ON "vm_instance" ("state");
CREATE INDEX "vm_instance__zone_uuid" ON "vm_instance" ("zone_uuid");
CREATE INDEX "vm_instance__cluster_uuid" ON "vm_instance" ("cluster_uuid");
CREATE INDEX "vm_instance__host_uuid" ON "vm_instance" ("host_uuid");
CREATE INDEX "vm_instance__last_host_uuid" ON "vm_instance" ("last_host_uuid");
CREATE INDEX "vm_instance__image_uuid" ON "vm_instance" ("image_uuid");
CREATE INDEX "vm_instance__instance_offering_uuid" ON "vm_instance" ("instance_offering_uuid");
CREATE INDEX "vm_instance__default_l3_network_uuid" ON "vm_instance" ("default_l3_network_uuid");
CREATE INDEX "vm_instance__name" ON "vm_instance" ("name");
CREATE INDEX "vm_instance__create_date__uuid" ON "vm_instance" ("create_date", "uuid");
CREATE INDEX "vm_instance__owner_uuid__create_date__uuid" ON "vm_instance" ("owner_uuid", "create_date", "uuid");
CREATE TABLE "vm_nic" (
  "uuid" TEXT NOT NULL PRIMARY KEY,
  "create_date" INTEGER NOT NULL,
  "last_op_date" INTEGER NOT NULL,
  "vm_instance_uuid" TEXT NOT NULL REFERENCES "vm_instance" ("uuid") ON DELETE NO ACTION DEFERRABLE INITIALLY DEFERRED,
  "l3_network_uuid" TEXT NOT NULL REFERENCES "l3_network" ("uuid") ON DELETE NO ACTION DEFERRABLE INITIALLY DEFERRED,
  "mac" TEXT NOT NULL,
  "internal_name" TEXT NOT NULL,
  "device_id" INTEGER NOT NULL,
  "hypervisor_type" TEXT NOT NULL,
  "driver_type" TEXT NOT NULL,
  "type" TEXT NOT NULL,
  "state" TEXT NOT NULL CHECK ("state" IN ('enable', 'disable')),
  "served" INTEGER NOT NULL CHECK ("served" IN (0, 1)),
  "ip" TEXT,
  "netmask" TEXT,
  "gateway" TEXT,
  "ip_version" INTEGER,
  "used_ip_uuid" TEXT REFERENCES "used_ip" ("uuid") ON DELETE NO ACTION DEFERRABLE INITIALLY DEFERRED,
  "owner_uuid" TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX "vm_nic__mac" ON "vm_nic" ("mac");
CREATE UNIQUE INDEX "vm_nic__vm_instance_uuid__device_id" ON "vm_nic" ("vm_instance_uuid", "device_id");
CREATE INDEX "vm_nic__l3_network_uuid" ON "vm_nic" ("l3_network_uuid");
CREATE INDEX "vm_nic__used_ip_uuid" ON "vm_nic" ("used_ip_uuid");
CREATE INDEX "vm_nic__create_date__uuid" ON "vm_nic" ("create_date", "uuid");
CREATE INDEX "vm_nic__owner_uuid__create_date__uuid" ON "vm_nic" ("owner_uuid", "create_date", "uuid");
CREATE TABLE "volume" (
  "uuid" TEXT NOT NULL PRIMARY KEY,
  "create_date" INTEGER NOT NULL,
  "last_op_date" INTEGER NOT NULL,
  "name" TEXT NOT NULL,
  "description" TEXT,
  "type" TEXT NOT NULL CHECK ("type" IN ('Root', 'Data')),
  "format" TEXT NOT NULL,
  "size" INTEGER NOT NULL,
  "state" TEXT NOT NULL CHECK ("state" IN ('Enabled', 'Disabled')),
  "status" TEXT NOT NULL CHECK ("status" IN ('Creating', 'Ready', 'NotInstantiated', 'Deleted')),
  "is_shareable" INTEGER NOT NULL CHECK ("is_shareable" IN (0, 1)),
  "primary_storage_uuid" TEXT REFERENCES "primary_storage" ("uuid") ON DELETE NO ACTION DEFERRABLE INITIALLY DEFERRED,
  "host_uuid" TEXT REFERENCES "host" ("uuid") ON DELETE NO ACTION DEFERRABLE INITIALLY DEFERRED,
  "vm_instance_uuid" TEXT REFERENCES "vm_instance" ("uuid") ON DELETE NO ACTION DEFERRABLE INITIALLY DEFERRED,
  "disk_offering_uuid" TEXT REFERENCES "disk_offering" ("uuid") ON DELETE NO ACTION DEFERRABLE INITIALLY DEFERRED,
  "root_image_uuid" TEXT REFERENCES "image" ("uuid") ON DELETE NO ACTION DEFERRABLE INITIALLY DEFERRED,
  "install_path" TEXT,
  "actual_size" INTEGER,
  "device_id" INTEGER,
  "last_vm_instance_uuid" TEXT,
  "last_attach_date" INTEGER,
  "last_detach_date" INTEGER,
  "owner_uuid" TEXT NOT NULL
) STRICT;
CREATE INDEX "volume__primary_storage_uuid" ON "volume" ("primary_storage_uuid");
CREATE INDEX "volume__host_uuid" ON "volume" ("host_uuid");
CREATE INDEX "volume__vm_instance_uuid" ON "volume" ("vm_instance_uuid");
CREATE INDEX "volume__disk_offering_uuid" ON "volume" ("disk_offering_uuid");
CREATE INDEX "volume__root_image_uuid" ON "volume" ("root_image_uuid");
CREATE INDEX "volume__name" ON "volume" ("name");
CREATE INDEX "volume__create_date__uuid" ON "volume" ("create_date", "uuid");
CREATE INDEX "volume__owner_uuid__create_date__uuid" ON "volume" ("owner_uuid", "create_date", "uuid");
CREATE TABLE "web_hook" (
  "uuid" TEXT NOT NULL PRIMARY KEY,
  "create_date" INTEGER NOT NULL,
  "last_op_date" INTEGER NOT NULL,
  "job_uuid" TEXT NOT NULL,
  "url" TEXT NOT NULL,
  "host" TEXT NOT NULL,
  "state" TEXT NOT NULL CHECK ("state" IN ('Waiting', 'Due', 'Delivered', 'GivenUp')),
  "tries" INTEGER NOT NULL,
  "next_try" INTEGER NOT NULL,
  "delivered_date" INTEGER,
  "error" TEXT,
  "owner_uuid" TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX "web_hook__job_uuid" ON "web_hook" ("job_uuid");
CREATE INDEX "web_hook__state__next_try" ON "web_hook" ("state", "next_try");
CREATE INDEX "web_hook__create_date__uuid" ON "web_hook" ("create_date", "uuid");
CREATE INDEX "web_hook__owner_uuid__create_date__uuid" ON "web_hook" ("owner_uuid", "create_date", "uuid");
CREATE TABLE "zone" (
  "uuid" TEXT NOT NULL PRIMARY KEY,
  "create_date" INTEGER NOT NULL,
  "last_op_date" INTEGER NOT NULL,
  "name" TEXT NOT NULL,
  "description" TEXT,
  "state" TEXT NOT NULL CHECK ("state" IN ('Enabled', 'Disabled')),
  "type" TEXT NOT NULL,
  "is_default" INTEGER NOT NULL CHECK ("is_default" IN (0, 1)),
  "owner_uuid" TEXT NOT NULL
) STRICT;
CREATE INDEX "zone__name" ON "zone" ("name");
CREATE INDEX "zone__create_date__uuid" ON "zone" ("create_date", "uuid");
