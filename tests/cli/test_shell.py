"""The shell, with lines piped in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import AS_ROOT, PASSWORD, Simulated


def shell(lines: str, tmp_path: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "zstack_appliance", "shell", *argv],
        input=lines,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={"PATH": os.environ["PATH"], "XDG_STATE_HOME": str(tmp_path)},
    )


@AS_ROOT
def test_queries_take_pages_and_null(simulated: Simulated, tmp_path: Path) -> None:
    lines = "QueryInstanceOffering cpuNum=1 sortBy=name sortDirection=desc limit=1 fields=name\n"
    asked = shell(
        lines + "QueryInstanceOffering count=true\nQueryVmInstance hostUuid=null name=none\n",
        tmp_path,
        "--data",
        str(simulated.data),
    )
    assert asked.returncode == 0, asked.stderr
    decoder, found, rest = json.JSONDecoder(), [], asked.stdout.strip()
    while rest:
        value, end = decoder.raw_decode(rest)
        found.append(value)
        rest = rest[end:].strip()
    assert found == [{"inventories": [{"name": "tiny"}]}, {"total": 3}, {"inventories": []}]


def test_a_login_counts_for_what_follows_commands_included(simulated: Simulated, tmp_path: Path) -> None:
    lines = f"LogInByAccount accountName=admin password='{PASSWORD}'\nQueryZone name=zone1\nzone list --fields name\n"
    asked = shell(lines, tmp_path, "--url", simulated.url)
    assert asked.returncode == 0, asked.stderr
    assert asked.stdout.startswith(f"logged in to {simulated.url} as admin\n")
    assert asked.stdout.count("zone1") >= 2


@pytest.mark.parametrize("line", ["CreateZon name=z", "QueryZone name", "zone lst", "CreateZone nme=z"])
def test_piped_lines_end_at_the_first_that_fails(simulated: Simulated, tmp_path: Path, line: str) -> None:
    asked = shell(f"{line}\nhelp\n", tmp_path, "--data", str(simulated.data))
    assert asked.returncode == 2
    assert asked.stderr.startswith(("Error: ", "Usage: "))
    assert "QueryVmInstance" not in asked.stdout
