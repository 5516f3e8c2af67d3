"""Everything that is declared, handlers included: for the pages that describe it, not for calling it."""

from __future__ import annotations

from zstack_appliance.cli.local_plugins import local_data, per_folder
from zstack_appliance.kernel.edges import Graph
from zstack_appliance.kernel.errors import Conflict
from zstack_appliance.kernel.flow_edits import with_edits
from zstack_appliance.kernel.flows_file import FLOWS_FILE, read_edits
from zstack_appliance.kernel.plugin import Plugin
from zstack_appliance.plugins import Look, look


@per_folder
def looked() -> Look:
    """Every plugin, the built-in ones and those of this machine's data folder, with the steps of `flows.toml`.

    What the appliance would not start with stands among what is broken.
    """
    folder = local_data()
    found = look(folder)
    try:
        found.plugins = with_edits(found.plugins, read_edits(folder / FLOWS_FILE) if folder is not None else ())
    except Conflict as error:
        found.broken["the flows"] = str(error)
    return found


def plugins() -> tuple[Plugin, ...]:
    """Every plugin that can be used, ordered by name."""
    return looked().plugins


@per_folder
def graph() -> Graph:
    """The graph of every resource, the kernel's own included."""
    from zstack_appliance.kernel.records import RECORDS

    return Graph((*(cls for plugin in plugins() for cls in plugin.resources), *RECORDS))
