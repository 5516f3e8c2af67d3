"""Tables of nftables that a host half owns whole.

Primitives: `ensure_table` (one table, replaced atomically and only when it is not as wanted), `remove_table`.
What `nft` lists is not what it was fed, so a record beside the appliance's files keeps a digest of both:
a table is as wanted when it was made from the same text and still lists the same.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path

import msgspec
import trio

from zstack_appliance.hostkit.iproute import in_namespace
from zstack_appliance.kernel.remote import Runtime
from zstack_appliance.kernel.small_files import read_text, replace_text


class Applied(msgspec.Struct, frozen=True):
    """The digests of the text that a table was made from and of its listing right afterwards."""

    text: str
    listing: str


async def ensure_table(runtime: Runtime, table: str, body: str, *, record: Path, namespace: str | None = None) -> bool:
    """Have one table hold exactly these chains.

    Connections that were established stay so: what they were translated to is kept by the kernel's
    connection tracking, not by the table.

    Args:
        runtime: runs `nft`.
        table: family and name, such as ``ip zs_ab12cd``.
        body: what stands between the table's braces.
        record: file that remembers what was applied.
        namespace: network namespace of the table.

    Returns:
        Whether anything had to be changed.

    Raises:
        HostCommandFailed: the kernel refused the rules; the former ones are still in force.
    """
    applied = await trio.to_thread.run_sync(_read, record)
    if applied is not None and applied.text == _digest(body):
        listing = await _listing(runtime, table, namespace)
        if listing and applied.listing == _digest(listing):
            return False
    # Naming the table first makes the deletion legal where there is none; one file is one transaction.
    text = f"table {table}\ndelete table {table}\ntable {table} {{\n{body}}}\n"
    await runtime.run(in_namespace(namespace, ["nft", "-f", "-"]), stdin=text)
    listing = await _listing(runtime, table, namespace)
    now = Applied(text=_digest(body), listing=_digest(listing))
    await trio.to_thread.run_sync(replace_text, record, msgspec.json.encode(now).decode())
    return True


async def remove_table(runtime: Runtime, table: str, *, namespace: str | None = None) -> None:
    """Have no such table; one that is absent is no error."""
    text = f"table {table}\ndelete table {table}\n"
    await runtime.run(in_namespace(namespace, ["nft", "-f", "-"]), stdin=text)


async def _listing(runtime: Runtime, table: str, namespace: str | None) -> str:
    """A table as `nft` lists it, without counters; empty when there is no such table."""
    argv = in_namespace(namespace, ["nft", "--stateless", "list", "table", *table.split()])
    listed = await runtime.run(argv, check=False)
    return listed.stdout if listed.returncode == 0 else ""


def _read(record: Path) -> Applied | None:
    text = read_text(record)
    if text is not None:
        # An unreadable record only costs one replacement of the table.
        with suppress(msgspec.DecodeError):
            return msgspec.json.decode(text, type=Applied)
    return None


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
