"""The data folder and the appliance itself."""

from __future__ import annotations

import datetime as dt
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import UnixStreamServer

import apsw
import pytest

from tests.doctor.conftest import listening, put, state
from zstack_appliance.certificates import have_certificate
from zstack_appliance.doctor import data as doctor
from zstack_appliance.doctor.patient import Patient

NOW = 1_900_000_000
"""March 2030, in seconds."""
TABLES = (Path(__file__).parent.parent.parent / "docs" / "schema.sql").read_text()


@pytest.fixture
def database(patient: Patient) -> apsw.Connection:
    """An empty one of this version."""
    connection = apsw.Connection(str(patient.data / "cloud.db"))
    connection.execute(TABLES)
    return connection


def insert(connection: apsw.Connection, table: str, **values: object) -> None:
    """A row with these values; the columns that must hold something get something."""
    columns = [(row[1], row[2]) for row in connection.execute(f"PRAGMA table_info({table})") if row[3]]
    filled = {name: 0 if kind == "INTEGER" else "x" for name, kind in columns} | values
    names = ", ".join(f'"{name}"' for name in filled)
    connection.execute(f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' * len(filled))})", tuple(filled.values()))


def test_folder(patient: Patient) -> None:
    assert state(doctor.folder(patient)) == "ok"
    patient.data.chmod(0o775)
    assert f"chmod go-w {patient.data}" in doctor.folder(patient).mend
    assert state(doctor.folder(replace(patient, data=patient.data / "none"))) == "ok"


@pytest.mark.parametrize("name", doctor.SECRETS)
def test_secrets(patient: Patient, name: str) -> None:
    assert state(doctor.secrets(patient)) == "ok"
    key = patient.data / name
    key.parent.mkdir(exist_ok=True)
    key.touch()
    key.chmod(0o600)
    assert state(doctor.secrets(patient)) == "ok"
    key.chmod(0o640)
    assert f"chmod 600 {key}" in doctor.secrets(patient).mend


def test_database(patient: Patient, database: apsw.Connection) -> None:
    assert doctor.database(patient).text == "it is whole"
    insert(database, "zone", uuid="1" * 32, state="Enabled")
    database.close()
    path = patient.data / "cloud.db"
    content = bytearray(path.read_bytes())
    content[2 * 4096 :] = b"\xff" * (len(content) - 2 * 4096)
    path.write_bytes(content)
    assert (state(doctor.database(patient)), "restore" in doctor.database(patient).mend) == ("wrong", True)


def test_process(patient: Patient) -> None:
    assert doctor.process(patient).text == "it does not run"
    (patient.data / "run").mkdir()
    (patient.data / "run" / "pid").write_text("4711\n")
    put(patient, "proc/4711/cmdline", "zstack-appliance\0up\0")
    assert (state(doctor.process(patient)), "4711" in doctor.process(patient).mend) == ("wrong", True)
    with listening(patient.data / "run" / "api.sock"):
        assert doctor.process(patient).text == "it answers, as process 4711"


def test_service(patient: Patient) -> None:
    assert "not installed" in doctor.service(patient).text
    put(patient, "etc/systemd/system/zstack-appliance.service", "")
    said = {"is-enabled": "disabled\n", "is-failed": "active\n"}
    machine = replace(patient, ask=lambda argv: said[argv[1]])
    assert (state(doctor.service(machine)), "systemctl enable" in doctor.service(machine).mend) == ("warning", True)
    said["is-enabled"] = "enabled\n"
    assert state(doctor.service(machine)) == "ok"
    said["is-failed"] = "failed\n"
    assert state(doctor.service(machine)) == "wrong"


def test_certificate(patient: Patient) -> None:
    assert "https" in doctor.certificate(patient).text
    made = dt.datetime.fromtimestamp(NOW, dt.UTC)
    have_certificate(patient.data / "tls", ("localhost",), made)
    for days, expected in ((0, "ok"), (380, "warning"), (400, "wrong")):
        later = partial(float, NOW + days * 86400)
        assert state(doctor.certificate(replace(patient, now=later))) == expected
    (patient.data / "tls" / "server.crt").write_text("nothing")
    assert state(doctor.certificate(patient)) == "wrong"


def test_open_http(patient: Patient) -> None:
    (patient.data / "run").mkdir()
    (patient.data / "run" / "pid").write_text("4711\n")
    put(patient, "proc/4711/cmdline", "zstack-appliance\0up\0")
    assert state(doctor.open_http(patient)) == "ok"
    put(patient, "proc/4711/cmdline", "zstack-appliance\0up\0--insecure-http\0")
    assert state(doctor.open_http(patient)) == "warning"


def test_stuck_work(patient: Patient, database: apsw.Connection) -> None:
    insert(database, "flow_run", uuid="1" * 32, flow="vm_instance.start", state="Done")
    assert state(doctor.stuck(patient)) == "ok"
    insert(database, "flow_run", uuid="2" * 32, flow="vm_instance.destroy", state="Stuck")
    assert (state(doctor.stuck(patient)), "vm_instance.destroy" in doctor.stuck(patient).text) == ("warning", True)


def test_jobs_over_their_time(patient: Patient, database: apsw.Connection) -> None:
    machine = replace(patient, now=lambda: float(NOW))
    hour = 3_600_000
    insert(database, "job", uuid="1" * 32, api="Fresh", state="Running", create_date=NOW * 1000 - hour, timeout=hour)
    insert(database, "job", uuid="2" * 32, api="Done", state="Failed", create_date=NOW * 1000 - 5 * hour, timeout=hour)
    assert state(doctor.jobs(machine)) == "ok"
    insert(database, "job", uuid="3" * 32, api="Late", state="Running", create_date=NOW * 1000 - 2 * hour, timeout=hour)
    assert doctor.jobs(machine).text == "1 are long over their time: Late"


@contextmanager
def answering(door: Path, body: str) -> Iterator[None]:
    """An appliance that gives one answer to everything."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    class Server(UnixStreamServer):
        def get_request(self) -> tuple[socket.socket, tuple[str, int]]:
            return super().get_request()[0], ("unix", 0)

    door.parent.mkdir(exist_ok=True)
    with Server(str(door), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield
        server.shutdown()
        thread.join()
    door.unlink()


def test_orphans(patient: Patient) -> None:
    door = patient.data / "run" / "api.sock"
    assert state(doctor.orphans(patient)) == "ok"
    for body, expected in (
        (json.dumps({"orphans": []}), "ok"),
        (json.dumps({"orphans": [{}]}), "warning"),
        ("?", "warning"),
    ):
        with answering(door, body):
            assert state(doctor.orphans(patient)) == expected
