"""Everything that is declared, handlers included: for the pages that describe it, not for calling it."""

from __future__ import annotations

import functools

from zstack_appliance.cli.declared import PACKAGE
from zstack_appliance.kernel.edges import Graph
from zstack_appliance.kernel.plugin import Plugin, discover


@functools.cache
def plugins() -> tuple[Plugin, ...]:
    """Every built-in plugin, ordered by name."""
    return discover(PACKAGE)


@functools.cache
def graph() -> Graph:
    """The graph of every resource, the kernel's own included."""
    from zstack_appliance.kernel.job import Job
    from zstack_appliance.kernel.journal import FlowRun

    return Graph((*(cls for plugin in plugins() for cls in plugin.resources), Job, FlowRun))
