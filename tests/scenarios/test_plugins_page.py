"""``docs/plugins.md`` keeps its word: its commands run in their order, against an appliance that is a process."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "plugins.md"
PROGRAMS = Path(sys.executable).parent

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="the appliance's socket lets root in without a login")


def blocks(kind: str) -> list[str]:
    """The page's blocks of one language, in order."""
    return re.findall(rf"^```{kind}\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def shell(script: str, data: Path) -> str:
    """Run lines in a shell that ends at the first that fails; what they printed."""
    ended = subprocess.run(
        ["bash", "-euc", script],
        cwd=ROOT,
        env={
            "PATH": f"{PROGRAMS}:{os.environ['PATH']}",
            "DATA": str(data),
            "ZSTACK_APPLIANCE_DATA": str(data),
            "XDG_STATE_HOME": str(data.parent / "state"),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def simulate(data: Path) -> list[str]:
    """How the appliance is started here."""
    return [sys.executable, "-m", "zstack_appliance", "simulate", "--hosts", "2", "--listen", "127.0.0.1:0",
            "--data", str(data)]  # fmt: skip


@contextmanager
def appliance(data: Path) -> Iterator[None]:
    """One that runs until the end of the block. Its hosts are in memory, so what is on them ends with it."""
    log = data.parent / "log"
    with (
        log.open("w") as errors,
        subprocess.Popen(simulate(data), stdout=subprocess.PIPE, stderr=errors, text=True) as process,
    ):
        assert process.stdout is not None
        try:
            assert process.stdout.readline().startswith("ready "), log.read_text()
            yield
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=20) == 0, log.read_text()
        finally:
            process.kill()


def test_every_command_works(tmp_path: Path) -> None:
    put_in, use, take_away = blocks("sh")
    [flows] = blocks("toml")
    data = tmp_path / "data"
    shown = shell(put_in, data)
    assert f"cost_center  from the plugin folder {data}/plugins/cost_center" in shown
    (data / "flows.toml").write_text(flows)
    with appliance(data):
        shown = shell(use, data)
        assert re.search(r"\bused\b.*\b1\b", shown, re.DOTALL)
        assert "paid" in shown.splitlines()[-1]
    (data / "plugins" / "cost_center" / "tags.py").write_text("import nothing_of_this_name\n")
    refused = subprocess.run(simulate(data), capture_output=True, text=True, check=False, timeout=60)
    assert refused.returncode == 1
    assert "ModuleNotFoundError: No module named 'nothing_of_this_name'" in refused.stderr
    assert f"mv {data}/plugins/cost_center {data}/plugins/cost_center.off" in refused.stderr
    (data / "flows.toml").unlink()
    shell(take_away, data)
    with appliance(data):
        assert "paid" in shell("zstack-appliance vm list", data)


def test_the_code_on_the_page_is_the_examples() -> None:
    """What the page shows of the example stands in it."""
    code = "\n".join(path.read_text() for path in sorted((ROOT / "docs" / "example_plugin").rglob("*.py")))
    [shown] = blocks("python")
    for line in filter(None, shown.splitlines()):
        assert line in code
