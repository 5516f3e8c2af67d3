"""The first account: made at the first start, with a password that nobody else knows.

Primitives: `FirstAdmin` (what the composition root knows about it) and `make` (the start task).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import trio

from zstack_appliance.cloud.account.passwords import Passwords, client_hash
from zstack_appliance.cloud.account.schema import Account, AccountType
from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.principal import ADMIN_ACCOUNT
from zstack_appliance.kernel.small_files import replace_text
from zstack_appliance.kernel.store import Tx

log = logging.getLogger(__name__)

FILE = "admin-password"
"""Name of the file in the data folder that holds the random first password, for its owner alone."""

ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
"""Letters and digits that nobody mistakes for one another."""

LENGTH = 20
"""Characters: with 31 to choose from, 99 bits."""


@dataclass(frozen=True)
class FirstAdmin:
    """What the first start needs to know.

    Args:
        data: the data folder.
        password: what the operator gave on the command line or in the environment; None draws one.
    """

    data: Path
    password: str | None = None

    @property
    def file(self) -> Path:
        """Where a random password is written."""
        return self.data / FILE

    async def forget(self) -> None:
        """Remove the file: the password in it is no longer the account's."""
        await trio.Path(self.file).unlink(missing_ok=True)


async def make(cloud: Cloud) -> None:
    """Make the account `admin` unless it exists; a start task.

    The file is written before the account is committed: a crash in between leaves a file whose password the
    next start replaces, never an account whose password nobody knows.
    """
    first = cloud.use(FirstAdmin)
    if cloud.store.get(Account, ADMIN_ACCOUNT) is not None:
        if first.password is not None:
            log.warning("the given admin password is ignored: it counts at the first start only")
        return
    password = first.password
    if password is None:
        password = "".join(ALPHABET[cloud.entropy.below(len(ALPHABET))] for _ in range(LENGTH))
        replace_text(first.file, f"{password}\n", mode=0o600, durable=True)
        log.info("the password of the account admin is in %s", first.file)
    now = cloud.clock.millis()
    account = Account(
        uuid=ADMIN_ACCOUNT,
        create_date=now,
        last_op_date=now,
        name="admin",
        type=AccountType.SYSTEM_ADMIN,
        password=await cloud.use(Passwords).hash(client_hash(password)),
    )

    def commit(tx: Tx) -> None:
        tx.insert(account)

    await cloud.write(commit)
