"""One call of a web hook over HTTP: `post`, which connects only where the egress rules let it."""

from __future__ import annotations

import ssl
from dataclasses import dataclass

import httpcore
import httpx
import trio

from zstack_appliance.cloud.l3_network.schema import IpRange
from zstack_appliance.cloud.web_hook.courier import Outcome, Post
from zstack_appliance.cloud.web_hook.settings import ALLOWED
from zstack_appliance.hostkit.egress import Egress, is_own_address
from zstack_appliance.hostkit.pinned import EgressRefused, PinnedBackend, resolve
from zstack_appliance.hostkit.pinned_transport import PinnedTransport
from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.remote import HostCommandFailed

CONNECT_SECONDS = 5.0
TOTAL_SECONDS = 10.0
"""How long a whole call may take."""


@dataclass(frozen=True)
class Rules:
    """Where web hooks may go, as the administrator has it."""

    allowed: tuple[str, ...]
    own_networks: tuple[str, ...]


def rules_of(cloud: Cloud) -> Rules:
    """The rules in force."""
    allowed = (entry.strip() for entry in cloud.configs.text(ALLOWED.path).split(";"))
    networks = {ip_range.network_cidr for ip_range in cloud.store.find(IpRange)}
    return Rules(tuple(entry for entry in allowed if entry), tuple(sorted(networks)))


def poster(cloud: Cloud) -> Post:
    """What makes calls."""
    trust = _Trust()

    async def post(url: str, headers: dict[str, str], body: bytes) -> Outcome:
        return await _call(url, headers, body, rules_of(cloud), await trust.context())

    return post


class _Trust:
    """The authorities that servers are checked against, read with the first call: most clouds make none."""

    def __init__(self) -> None:
        self._context: ssl.SSLContext | None = None

    async def context(self) -> ssl.SSLContext:
        if self._context is None:
            self._context = await trio.to_thread.run_sync(_trusted)
        return self._context


def _trusted() -> ssl.SSLContext:
    context = httpx.create_ssl_context(trust_env=False)
    context.load_default_certs()
    return context


async def _call(url: str, headers: dict[str, str], body: bytes, rules: Rules, tls: ssl.SSLContext) -> Outcome:
    """Post once. Nothing of the answer is read but its status, and nothing of the URL is repeated but its host."""
    try:
        egress = Egress.of(rules, is_own_address)
        backend = PinnedBackend(egress, resolve, opened_by=f"the setting {ALLOWED.path}")
        client = httpx.AsyncClient(
            transport=PinnedTransport(backend, tls),
            timeout=httpx.Timeout(TOTAL_SECONDS, connect=CONNECT_SECONDS),
            headers={"User-Agent": "zstack-appliance"},
            trust_env=False,
        )
        with trio.fail_after(TOTAL_SECONDS):
            async with (
                client,
                client.stream("POST", url, headers=headers, content=body, follow_redirects=False) as answer,
            ):
                if answer.is_success:
                    return Outcome()
                return Outcome(f"it answered {answer.status_code}")
    except (EgressRefused, HostCommandFailed) as refused:
        return Outcome(str(refused), final=True)
    except trio.TooSlowError:
        return Outcome(f"it took longer than {TOTAL_SECONDS:g} s")
    except (httpx.InvalidURL, UnicodeError):
        return Outcome("its URL is malformed", final=True)
    except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, httpx.HTTPError) as error:
        return Outcome(f"it could not be reached: {type(error).__name__} {error}".rstrip())
