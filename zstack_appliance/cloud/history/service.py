"""Tells the history of a resource."""

from __future__ import annotations

from zstack_appliance.cloud.account.schema import Account
from zstack_appliance.cloud.history.messages import GetResourceHistory, HistoryEntry, HistoryPage
from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.history import Chapter, History
from zstack_appliance.kernel.plugin import handles
from zstack_appliance.kernel.store.changelog import LATEST
from zstack_appliance.kernel.world import rfc3339


@handles(GetResourceHistory)
async def history(m: GetResourceHistory, cloud: Cloud) -> HistoryPage:
    """Serve `GetResourceHistory`."""
    told = cloud.use(History)
    page = await told.of(m.uuid, cloud.principal, before=m.before or LATEST, limit=m.limit)
    accounts = {chapter.account for chapter in page.chapters if chapter.account is not None}
    names = {uuid: await _name(uuid, told, cloud) for uuid in sorted(accounts)}
    return HistoryPage(entries=tuple(_entry(chapter, names) for chapter in page.chapters), next=page.more)


async def _name(uuid: str, told: History, cloud: Cloud) -> str | None:
    """An account's name, also if it has gone; None where the caller may not know it."""
    if not cloud.principal.admin and uuid != cloud.principal.account_uuid:
        return None
    account = cloud.store.get(Account, uuid) or await told.last(uuid)
    return account.name if isinstance(account, Account) else None


def _entry(chapter: Chapter, names: dict[str, str | None]) -> HistoryEntry:
    return HistoryEntry(
        number=chapter.number,
        at=rfc3339(chapter.at),
        resource=chapter.resource,
        kind=chapter.kind,
        fields=chapter.fields,
        before=None if chapter.before is None else dict(chapter.before),
        after=None if chapter.after is None else dict(chapter.after),
        account=chapter.account,
        account_name=names.get(chapter.account) if chapter.account is not None else None,
        api=chapter.api,
        job=chapter.job,
    )
