"""Log in and out, and what happens to a session in between."""

from __future__ import annotations

from zstack_appliance.cloud.account.attempts import LoginAttempts
from zstack_appliance.cloud.account.messages import (
    LogInByAccount,
    LogOut,
    RenewSession,
    SessionInventory,
    ValidateSession,
    Validity,
)
from zstack_appliance.cloud.account.passwords import Passwords
from zstack_appliance.cloud.account.schema import Account, AccountType, Session
from zstack_appliance.cloud.account.sessions import stored_uuid
from zstack_appliance.cloud.account.user_messages import LogInByUser
from zstack_appliance.cloud.account.user_schema import User
from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.config import GlobalConfig
from zstack_appliance.kernel.errors import Conflict, Fault, Unauthenticated, refuse
from zstack_appliance.kernel.plugin import handles
from zstack_appliance.kernel.store import Tx

TIMEOUT = GlobalConfig(
    "identity",
    "session.timeout",
    "7200",
    "How long a session lasts after login, in seconds.",
    kind=int,
    low=1,
    high=31535999,
)
MAX_CONCURRENT = GlobalConfig(
    "identity",
    "session.maxConcurrent",
    "500",
    "How many sessions an account may have at once; a login beyond it is refused.",
    kind=int,
    low=1,
)
CLEANUP_INTERVAL = GlobalConfig(
    "identity",
    "session.cleanup.interval",
    "3600",
    "How often expired sessions are removed, in seconds.",
    kind=int,
    low=2,
)
UNIQUE = GlobalConfig(
    "identity",
    "enable.unique.session",
    "false",
    "Whether a login ends the account's earlier sessions.",
    kind=bool,
    choices=("true", "false"),
)


@handles(LogInByAccount)
async def log_in(m: LogInByAccount, cloud: Cloud) -> SessionInventory:
    """Check the password and open a session."""
    attempts = cloud.use(LoginAttempts)
    wait = attempts.begin(m.account_name, cloud.principal.source)
    if wait > 0:
        raise Unauthenticated(f"too many failed logins from here; try again in {wait} s", code="ID.1000")
    account = next(iter(await cloud.find(Account, name=m.account_name)), None)
    known = await cloud.use(Passwords).matches(account.password if account else None, m.password)
    if account is None or not known:
        raise Unauthenticated("wrong account name or password", code="ID.1000")
    attempts.succeeded(m.account_name, cloud.principal.source)
    key = cloud.entropy.uuid()
    session = await _open(account, None, key, cloud)
    return _inventory(session, key)


@handles(LogInByUser)
async def log_in_by_user(m: LogInByUser, cloud: Cloud) -> SessionInventory:
    """Check a user's password and open a session for it."""
    if m.account_uuid is None and m.account_name is None:
        refuse(Fault("accountName", "say whose user it is: give accountUuid or accountName"))
    named = m.account_uuid or m.account_name or ""
    attempts = cloud.use(LoginAttempts)
    # An account and a user of it may have one name, and are guessed apart.
    who = f"{named}/{m.user_name}"
    wait = attempts.begin(who, cloud.principal.source)
    if wait > 0:
        raise Unauthenticated(f"too many failed logins from here; try again in {wait} s", code="ID.1000")
    wanted = {"uuid": m.account_uuid} if m.account_uuid is not None else {"name": m.account_name}
    account = next(iter(await cloud.find(Account, **wanted)), None)
    users = await cloud.find(User, account_uuid=account.uuid, name=m.user_name) if account else []
    user = next(iter(users), None)
    known = await cloud.use(Passwords).matches(user.password if user else None, m.password)
    if account is None or user is None or not known:
        raise Unauthenticated("wrong account name, user name or password", code="ID.1000")
    attempts.succeeded(who, cloud.principal.source)
    key = cloud.entropy.uuid()
    return _inventory(await _open(account, user, key, cloud), key)


@handles(LogOut)
async def log_out(m: LogOut, cloud: Cloud) -> None:
    """End the session."""
    if m.session_uuid is not None:
        uuid = stored_uuid(m.session_uuid)
        await cloud.write(lambda tx: tx.delete(Session, uuid))


@handles(ValidateSession)
async def validate(m: ValidateSession, cloud: Cloud) -> Validity:
    """Look the session up."""
    session = cloud.store.get(Session, stored_uuid(m.session_uuid))
    return Validity(valid=session is not None and session.expired_date > cloud.clock.millis())


@handles(RenewSession)
async def renew(m: RenewSession, cloud: Cloud) -> SessionInventory:
    """Move the end of the session."""
    uuid = stored_uuid(m.session_uuid)
    seconds = m.duration if m.duration is not None else cloud.configs.number(TIMEOUT.path)
    now = cloud.clock.millis()

    def commit(tx: Tx) -> Session:
        session = tx.get(Session, uuid)
        if session is None or session.expired_date <= now or not _is_own(session, cloud):
            raise Unauthenticated("Session expired or unknown; log in for a new one")
        return tx.update(session, expired_date=now + seconds * 1000)

    # Everybody who knows the job may read this answer, so it does not repeat the key.
    return _inventory(await cloud.write(commit), None)


async def remove_expired(cloud: Cloud) -> None:
    """Remove expired sessions now and then, for ever; a background task."""
    while True:
        await cloud.write(_remove_expired)
        await cloud.configs.pause(CLEANUP_INTERVAL.path)


def _remove_expired(tx: Tx) -> None:
    for session in tx.find(Session):
        if session.expired_date <= tx.now:
            tx.delete(session)


async def _open(account: Account, user: User | None, key: str, cloud: Cloud) -> Session:
    now = cloud.clock.millis()
    session = Session(
        uuid=stored_uuid(key),
        create_date=now,
        last_op_date=now,
        account_uuid=account.uuid,
        admin=account.type is AccountType.SYSTEM_ADMIN,
        expired_date=now + cloud.configs.number(TIMEOUT.path) * 1000,
        user_uuid=user.uuid if user is not None else None,
    )
    most = cloud.configs.number(MAX_CONCURRENT.path)
    unique = cloud.configs.flag(UNIQUE.path)

    def commit(tx: Tx) -> Session:
        who = account if user is None else user
        if tx.require(type(who), who.uuid).password != who.password:
            raise Unauthenticated("wrong account name or password", code="ID.1000")
        held = tx.find(Session, account_uuid=account.uuid, user_uuid=session.user_uuid)
        others = [other for other in held if other.expired_date > now]
        if unique:
            for other in others:
                tx.delete(other)
        elif len(others) >= most:
            kind = "account" if user is None else "user"
            text = f"{kind}[{who.name}] has {most} sessions, the most that {MAX_CONCURRENT.path} allows"
            raise Conflict(f"{text}; log out of one", code="ID.1006")
        return tx.insert(session)

    return await cloud.write(commit)


def _is_own(session: Session, cloud: Cloud) -> bool:
    return cloud.principal.admin or session.account_uuid == cloud.principal.account_uuid


def _inventory(session: Session, key: str | None) -> SessionInventory:
    return SessionInventory(
        uuid=key,
        account_uuid=session.account_uuid,
        user_uuid=session.user_uuid or session.account_uuid,
        expired_date=session.expired_date,
        create_date=session.create_date,
    )
