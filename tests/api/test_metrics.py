"""``/metrics``: it reads as Prometheus's format, its numbers are those of what was done, and strangers get none."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest
import trio
from prometheus_client.parser import text_string_to_metric_families
from trio.testing import MockClock

from tests.running import BASE, SimulatedCloud, running, simulated_cloud
from zstack_appliance.api.metrics import Metrics, door_of, watch_lag
from zstack_appliance.kernel.meter import Measure

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def read(text: str) -> Samples:
    """Every sample by its name and labels."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def scrape(cloud: SimulatedCloud) -> Samples:
    """What a scraper on this machine reads."""
    async with cloud.client() as client:
        answer = await client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    return read(answer.text)


async def test_what_is_done_shows(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with simulated_cloud(tmp_path, hosts=2) as cloud, cloud.login() as admin:
        before = await scrape(cloud)
        await admin.create("/zones", name="another")
        assert (await admin.send("GET", "/zones")).status_code == 200
        assert (await admin.send("GET", "/nowhere")).status_code == 404
        after = await scrape(cloud)

    def grown(name: str, **labels: str) -> float:
        at = (name, tuple(sorted(labels.items())))
        return after[at] - before.get(at, 0.0)

    assert grown("zstack_requests_total", door="rest", method="GET", status="200") == 1
    assert grown("zstack_requests_total", door="rest", method="GET", status="404") == 1
    assert grown("zstack_requests_total", door="rest", method="POST", status="202") == 1
    assert grown("zstack_request_duration_seconds_count", door="rest") == 3
    assert grown("zstack_jobs", state="Succeeded") == 1
    assert grown("zstack_job_duration_seconds_count") == 1
    assert grown("zstack_store_commit_seconds_count") >= 3
    assert grown("zstack_store_group_writes_sum") >= 3
    assert grown("zstack_queue_wait_seconds_count") >= 1
    assert grown("zstack_feed_number") >= 3
    assert after["zstack_hosts", (("status", "Connected"),)] == 2
    assert after["zstack_cpu_available", ()] <= after["zstack_cpu_capacity", ()]
    assert after["zstack_storage_capacity_bytes", ()] > 0
    assert after["zstack_ready", ()] == 0, "nobody opened the doors"
    assert after["process_resident_memory_bytes", ()] > 1 << 20
    assert after["process_open_fds", ()] > 0
    names = {name for name, _ in after}
    assert {"zstack_build_info", "zstack_queue_length", "zstack_queries_waiting", "zstack_event_subscribers"} <= names


async def test_every_gauge_of_a_plugin_can_be_read(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with simulated_cloud(tmp_path, hosts=1) as cloud:
        gauges = [gauge for plugin in cloud.plugins for gauge in plugin.gauges]
        read_ = await cloud.kernel.store.read(lambda reader: [gauge.read(reader) for gauge in gauges])
    assert len({gauge.name for gauge in gauges}) == len(gauges) > 5
    assert all(re.fullmatch(r"zstack_[a-z_]+", gauge.name) for gauge in gauges)
    assert all(len(labels) == len(gauge.by) for gauge, rows in zip(gauges, read_, strict=True) for labels, _ in rows)


@pytest.mark.parametrize(
    ("client", "given", "status"),
    [
        ("127.0.0.1", "", 200),
        ("::1", "", 200),
        ("10.0.0.9", "", 403),
        ("10.0.0.9", "Bearer wrong", 403),
        ("10.0.0.9", "Bearer secret", 200),
    ],
)
async def test_who_may_read(tmp_path: Path, client: str, given: str, status: int) -> None:
    async with running(tmp_path, plugins=BASE, metrics_token="secret") as cloud:
        transport = httpx.ASGITransport(cloud.app, client=(client, 1234))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080") as http:
            headers = {"authorization": given} if given else {}
            assert (await http.get("/metrics", headers=headers)).status_code == status


async def test_without_a_token_only_this_machine_reads(tmp_path: Path) -> None:
    async with running(tmp_path, plugins=BASE) as cloud:
        transport = httpx.ASGITransport(cloud.app, client=("10.0.0.9", 1234))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080") as http:
            assert (await http.get("/metrics", headers={"authorization": "Bearer "})).status_code == 403


def test_doors_are_few_whatever_is_asked_for() -> None:
    paths = ("/zstack/v1/zones", "/v1/zones", "/zstack/api/", "/zstack/v1/api-jobs/x", "/ui/x", "/metrics", "/metricsx")
    doors = ["rest", "rest", "message", "job_result", "ui", "metrics", "other"]
    assert [door_of(path) for path in paths] == doors


async def test_the_loops_lag_is_measured(autojump_clock: MockClock) -> None:
    metrics = Metrics("1.2.3")
    with trio.move_on_after(2.2):
        await watch_lag(metrics)
    metrics(Measure.JOB, 2.0)
    samples = read(metrics.text([]).decode())
    assert samples["zstack_loop_lag_seconds_count", ()] == 4
    assert samples["zstack_job_duration_seconds_sum", ()] == 2.0
    assert samples["zstack_build_info", (("version", "1.2.3"),)] == 1
