"""The kernel's own resources, which no plugin lists: `RECORDS`."""

from __future__ import annotations

from zstack_appliance.kernel.absent import PluginRecord
from zstack_appliance.kernel.audit import Audit
from zstack_appliance.kernel.job import Job
from zstack_appliance.kernel.journal import FlowRun
from zstack_appliance.kernel.schema import Record
from zstack_appliance.kernel.web_hook import WebHook

RECORDS: tuple[type[Record], ...] = (Job, Audit, FlowRun, WebHook, PluginRecord)
