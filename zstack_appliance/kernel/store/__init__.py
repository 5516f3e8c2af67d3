"""The store: SQLite through one writer with group commit, read by key on the loop and by query in threads.

Primitives: `Store` (what everybody holds), `Tx` (the database inside one write), `Reader` (rows as structs),
`Feed` with its `Batch` and `Change` (what changed, for whoever listens), `Log` (where commits go first in a
cluster). A write is a function: it may run more than once, so it has no effect but on its `Tx`.
"""

from zstack_appliance.kernel.store.feed import Batch, Change, Dropped, Feed
from zstack_appliance.kernel.store.log import Entry, Log
from zstack_appliance.kernel.store.reader import Reader
from zstack_appliance.kernel.store.store import Store
from zstack_appliance.kernel.store.table import Table
from zstack_appliance.kernel.store.tables import Tables
from zstack_appliance.kernel.store.tx import Tx

__all__ = ["Batch", "Change", "Dropped", "Entry", "Feed", "Log", "Reader", "Store", "Table", "Tables", "Tx"]
