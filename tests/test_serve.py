"""An appliance at several doors: https beside plain http, and a service manager that hears when it is ready."""

from __future__ import annotations

import signal
import socket
import ssl
import subprocess
import sys
from pathlib import Path

import httpx
import pytest


def free_port() -> int:
    """One that nobody has now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.mark.slow
def test_https_beside_http(tmp_path: Path) -> None:
    data, port = tmp_path / "data", free_port()
    argv = [sys.executable, "-m", "zstack_appliance", "simulate", "--hosts", "1", "--data", str(data)]
    listen = ["--listen", "127.0.0.1:0", "--listen", f"https://127.0.0.1:{port}"]
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager,
        (tmp_path / "log").open("w") as log,
    ):
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(60)
        environment = {"NOTIFY_SOCKET": str(tmp_path / "notify")}
        with subprocess.Popen(
            [*argv, *listen], stdout=subprocess.PIPE, stderr=log, text=True, env=environment
        ) as process:
            try:
                assert manager.recv(100) == b"READY=1"
                assert process.stdout is not None
                plain = process.stdout.readline().split()[1]
                trust = ssl.create_default_context(cafile=data / "tls" / "ca.crt")
                for url, verify in ((plain, True), (f"https://127.0.0.1:{port}/", trust)):
                    with httpx.Client(verify=verify) as client:
                        assert client.get(f"{url}healthz").json()["ready"] is True
                with pytest.raises(httpx.ConnectError, match="self-signed"):
                    httpx.get(f"https://127.0.0.1:{port}/healthz")
            finally:
                process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=10) == 0


def test_an_address_that_is_none() -> None:
    argv = [sys.executable, "-m", "zstack_appliance", "simulate", "--listen", "8080"]
    wrong = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert (wrong.returncode, "give HOST:PORT" in wrong.stderr) == (2, True)
