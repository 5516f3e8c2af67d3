"""Who asked for what, from where, and what became of it: `Audit`, one row for each call that changes something.

A call that becomes a job is written down in the job's own commits, its start and its end. What is answered at once,
such as a login, is written down in the commit of what it changes (`Noted`), or else before its answer. What failed
changed nothing: `Audits` gathers such calls and writes them together, twice a second at most, so that strangers who
guess passwords make no commit each. A crash may lose that last half second of refusals, and no change.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import msgspec
import trio

from zstack_appliance.kernel.calls import acted_on, redacted
from zstack_appliance.kernel.errors import CloudError
from zstack_appliance.kernel.message import Create, Request, wire_name
from zstack_appliance.kernel.principal import ADMIN_ACCOUNT, Principal
from zstack_appliance.kernel.schema import SECRET, TIMESTAMP, Millis, Record, Uuid, fields_of, resource

if TYPE_CHECKING:
    from zstack_appliance.kernel.store import Store, Tx
    from zstack_appliance.kernel.world import Clock, Entropy

log = logging.getLogger(__name__)

T = TypeVar("T")

GATHER_SECONDS = 0.5
"""How long calls that failed at once are gathered before they are written down together."""

MOST_WAITING = 1000
"""Failed calls that may wait to be written down; strangers can make many logins fail, and may not fill the memory."""


@resource(
    wire="org.zstack.appliance",
    path="/appliance/audits",
    owned=True,
    silent=True,
    journal=True,
    indexes=(("create_date",), ("resource_uuid",)),
)
class Audit(Record, frozen=True, kw_only=True):
    """One call. It belongs to the account that made it; a login that failed belongs to the administrator."""

    api: str
    """ZStack's message class."""
    source: str
    """The address that it came from; ``local`` for the machine itself."""
    request: str
    """The call as JSON, secrets left out."""
    account_uuid: str | None = None
    """Who made it; None when nobody was let in."""
    user_uuid: str | None = None
    """Who acted for the account, where it was not the account itself."""
    resource_uuid: str | None = None
    """What it changed, or meant to."""
    finished_date: Annotated[Millis | None, TIMESTAMP] = None
    """None while it runs."""
    duration: int | None = None
    """Milliseconds."""
    success: bool | None = None
    """None while it runs."""
    error: str | None = None
    """The code of the error that it ended with."""
    job_uuid: Uuid | None = None


def audit_of(
    message: Request[Any] | type[Request[Any]], principal: Principal, uuid: str, *, job_uuid: str | None = None
) -> Audit:
    """What is known of a call when it begins.

    Args:
        message: the call, or its class where it could not be read.
        principal: who makes it.
        uuid: of the row.
        job_uuid: the job that it becomes.
    """
    return Audit(
        uuid=uuid,
        create_date=0,
        last_op_date=0,
        api=wire_name(type(message) if isinstance(message, Request) else message),
        source=principal.source,
        request=redacted(message) if isinstance(message, Request) else "{}",
        account_uuid=principal.account_uuid or None,
        user_uuid=principal.user_uuid,
        resource_uuid=changed_by(message) if isinstance(message, Request) else None,
        job_uuid=job_uuid,
    )


def changed_by(message: Request[Any]) -> str | None:
    """The uuid of what a call changes, as far as the call says it."""
    if isinstance(message, Create):
        return message.resource_uuid
    wire = acted_on(type(message))
    fields = (field for field in fields_of(type(message)) if not field.marked(SECRET))
    names = [field.name for field in fields if field.wire in (wire, "uuid")]
    value = getattr(message, names[0]) if names else None
    return value if isinstance(value, str) else None


def ended(tx: Tx, uuid: str, error: str | None) -> None:
    """Note in the commit that ends a job what became of its call.

    Args:
        tx: the commit.
        uuid: of the audit.
        error: the error's code; None when it went well.
    """
    row = tx.get(Audit, uuid)
    if row is not None and row.finished_date is None:
        duration = max(tx.now - row.create_date, 0)
        tx.update(row, finished_date=tx.now, duration=duration, success=error is None, error=error)


class Noted:
    """The audit of one call that is answered at once.

    Args:
        row: what is known of the call at its beginning, and when that was.
    """

    def __init__(self, row: Audit) -> None:
        self.row = row

    def beside(self, change: Callable[[Tx], T]) -> Callable[[Tx], T]:
        """The same change, with the audit in its commit; several changes of one call have one audit."""

        def both(tx: Tx) -> T:
            made = change(tx)
            if tx.get(Audit, self.row.uuid) is None:
                row = self.ended(tx.now, made, None)
                tx.insert(row, owner=row.account_uuid or ADMIN_ACCOUNT)
            return made

        return both

    def ended(self, now: int, made: Any, error: BaseException | None) -> Audit:
        """The whole audit.

        Args:
            now: when the call ended, in milliseconds.
            made: what came of it. A login has no account before it has one; its session says whom it let in.
            error: what it failed with, if it did.
        """
        return msgspec.structs.replace(
            self.row,
            account_uuid=self.row.account_uuid or getattr(made, "account_uuid", None),
            finished_date=now,
            duration=max(now - self.row.create_date, 0),
            success=error is None,
            error=None if error is None else code_of(error),
        )


class Audits:
    """Writes down calls that are answered at once.

    Args:
        store: where to.
        clock: dates them.
        entropy: names them.
    """

    def __init__(self, store: Store, clock: Clock, entropy: Entropy) -> None:
        self._store = store
        self._clock = clock
        self._entropy = entropy
        self._waiting: list[Audit] = []
        self._dropped = 0
        self._news = trio.Event()

    def begin(self, message: Request[Any], principal: Principal) -> Noted:
        """A call begins; its changes take what this gives with them."""
        row = audit_of(message, principal, self._entropy.uuid())
        return Noted(msgspec.structs.replace(row, create_date=self._clock.millis()))

    async def succeeded(self, noted: Noted, reply: Any) -> None:
        """Have a call written down before it is answered, if it changed nothing that took its audit along."""
        if self._store.get(Audit, noted.row.uuid) is None:
            with trio.CancelScope(shield=True):
                await self._commit([noted.ended(self._clock.millis(), reply, None)])

    def failed(self, noted: Noted, error: BaseException) -> None:
        """Have a failed call written down soon."""
        if len(self._waiting) >= MOST_WAITING:
            self._dropped += 1
            return
        self._waiting.append(noted.ended(self._clock.millis(), None, error))
        self._news.set()

    async def run(self) -> None:
        """Write until cancelled, and then what is left."""
        try:
            while True:
                await self._news.wait()
                await trio.sleep(GATHER_SECONDS)
                await self._write()
        finally:
            with trio.CancelScope(shield=True):
                await self._write()

    async def _write(self) -> None:
        rows, self._waiting = self._waiting, []
        self._news = trio.Event()
        if self._dropped:
            log.warning("%d calls came too fast to be audited", self._dropped)
            self._dropped = 0

        if rows:
            await self._commit(rows)

    async def _commit(self, rows: list[Audit]) -> None:
        def commit(tx: Tx) -> None:
            for row in rows:
                noted = tx.get(Audit, row.uuid)
                if noted is None:
                    tx.insert(row, owner=row.account_uuid or ADMIN_ACCOUNT)
                else:  # It had changed something before it failed.
                    tx.update(noted, success=row.success, error=row.error)

        try:
            await self._store.write(commit)
        except CloudError:
            log.exception("%d calls could not be audited", len(rows))


def code_of(error: BaseException) -> str:
    """The code that an error is answered with."""
    return error.code if isinstance(error, CloudError) else "SYS.1000"
