"""Checks of the data folder and of the appliance itself: rights, secrets, database, certificate, jobs, orphans."""

from __future__ import annotations

import datetime as dt
import os
import stat
from collections.abc import Callable

import apsw
import httpx

from zstack_appliance.certificates import RENEW_DAYS, read_certificate
from zstack_appliance.doctor.patient import Finding, Patient, ok, warning, wrong

SECRETS = ("key", "admin-password", "metrics-token", "tls/ca.key", "tls/server.key")
LATE_MINUTES = 10
"""A job that is this long over its time has nobody who ends it."""
ORPHAN_SECONDS = 30.0
UNIT = "zstack-appliance.service"


def folder(patient: Patient) -> Finding:
    """Whether the data folder is the administrator's alone to change."""
    data = patient.data
    if not data.exists():
        return ok("data folder", f"{data} is not there yet; 'up' makes it")
    if not os.access(data, os.R_OK | os.W_OK | os.X_OK):
        return wrong("data folder", f"{data} cannot be written to", "run as root")
    if data.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return wrong("data folder", f"others may get at {data}", f"chmod go-w {data}")
    return ok("data folder", f"{data} is its owner's alone to change")


def secrets(patient: Patient) -> Finding:
    """Whether keys and passwords are their owner's alone to read."""
    for name in SECRETS:
        path = patient.data / name
        if path.exists() and path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            return wrong("secrets", f"others may read {path}", f"chmod 600 {path}, and change what it guards")
    return ok("secrets", "keys and passwords are their owner's alone to read")


def process(patient: Patient) -> Finding:
    """Whether the appliance runs, and answers."""
    pid = patient.text(patient.data / "run" / "pid").strip()
    if patient.runs:
        return ok("appliance", f"it answers, as process {pid or 'unknown'}")
    if pid and (patient.root / "proc" / pid).exists():
        mend = f"look at its log (journalctl -u {UNIT}); if it stays so, end process {pid}"
        return wrong("appliance", f"process {pid} runs, but does not answer", mend)
    return ok("appliance", "it does not run")


def service(patient: Patient) -> Finding:
    """Whether an installed appliance starts with the machine."""
    if not (patient.root / "etc/systemd/system" / UNIT).exists():
        return ok("service", "it is not installed as one")
    enabled = (patient.ask(["systemctl", "is-enabled", UNIT]) or "").strip()
    if enabled != "enabled":
        return warning("service", "it does not start with the machine", f"systemctl enable {UNIT}")
    failed = (patient.ask(["systemctl", "is-failed", UNIT]) or "").strip() == "failed"
    if failed:
        return wrong("service", "it has failed", f"journalctl -u {UNIT} says why; then systemctl restart {UNIT}")
    return ok("service", "it starts with the machine")


def certificate(patient: Patient) -> Finding:
    """Whether browsers will go on to trust us."""
    path = patient.data / "tls" / "server.crt"
    if not path.exists():
        return ok("certificate", "there is none; nothing is served by https")
    now = dt.datetime.fromtimestamp(patient.now(), dt.UTC)
    mend = "restart the appliance, which renews its own certificate; replace one that you brought"
    try:
        ends = read_certificate(path).not_valid_after_utc
    except ValueError as error:
        return wrong("certificate", str(error), f"remove {path} and restart the appliance")
    if ends <= now:
        return wrong("certificate", f"it has ended on {ends:%Y-%m-%d}", mend)
    if ends - now < dt.timedelta(days=RENEW_DAYS):
        return warning("certificate", f"it ends on {ends:%Y-%m-%d}", mend)
    return ok("certificate", f"it is good until {ends:%Y-%m-%d}")


def open_http(patient: Patient) -> Finding:
    """Whether passwords cross a network in the clear."""
    pid = patient.text(patient.data / "run" / "pid").strip()
    command = patient.text(patient.root / "proc" / pid / "cmdline") if pid else ""
    if "--insecure-http" in command.split("\0"):
        mend = "listen on https://ADDRESS:PORT in place of --insecure-http"
        return warning("plain http", "passwords cross the network in the clear", mend)
    return ok("plain http", "nothing is served in the clear but to this machine")


def database(patient: Patient) -> Finding:
    """Whether the database is whole."""
    try:
        said = patient.rows("PRAGMA quick_check(1)")
    except apsw.Error as error:
        said = [(str(error),)]
    if said in ([], [("ok",)]):
        return ok("database", "it is whole" if said else "there is none yet")
    mend = f"stop the appliance, keep a copy of {patient.data}/cloud.db, and restore a backup"
    return wrong("database", f"it is damaged: {said[0][0]}", mend)


def stuck(patient: Patient) -> Finding:
    """Whether work is stuck half way: past its pivot, where it can only go forward and does not."""
    flows = _column(patient, "SELECT flow FROM flow_run WHERE state = 'Stuck' ORDER BY create_date")
    if flows:
        mend = "it is retried by itself; 'job list' and the log say what is in the way"
        return warning("stuck work", f"{len(flows)} pieces of work cannot go on: {', '.join(sorted(set(flows)))}", mend)
    return ok("stuck work", "none")


def jobs(patient: Patient) -> Finding:
    """Whether jobs run that should have ended."""
    late = int((patient.now() - LATE_MINUTES * 60) * 1000)
    query = f"SELECT api FROM job WHERE state = 'Running' AND create_date + timeout < {late}"
    found = _column(patient, query)
    if found:
        text = f"{len(found)} are long over their time: {', '.join(sorted(set(found)))}"
        return warning("jobs", text, "restart the appliance, which takes them back or finishes them")
    return ok("jobs", "none is over its time")


def orphans(patient: Patient) -> Finding:
    """Whether hosts and records agree."""
    door = patient.data / "run" / "api.sock"
    if not patient.runs:
        return ok("orphans", "hosts and records are compared while the appliance runs")
    try:
        with httpx.Client(transport=httpx.HTTPTransport(uds=str(door)), timeout=ORPHAN_SECONDS) as client:
            answer = client.get("http://localhost/zstack/v1/appliance/orphans")
        rows = answer.json()["orphans"]
    except (httpx.HTTPError, ValueError, KeyError):
        return warning("orphans", "the appliance could not compare hosts and records", "run doctor --orphans as root")
    if rows:
        text = f"{len(rows)} differences between hosts and records"
        return warning("orphans", text, "doctor --orphans names them")
    return ok("orphans", "hosts and records agree")


def _column(patient: Patient, query: str) -> list[str]:
    """The first value of each row; nothing where the database is not as we know it, which `database` tells."""
    try:
        return [str(row[0]) for row in patient.rows(query)]
    except apsw.Error:
        return []


CHECKS: tuple[Callable[[Patient], Finding], ...] = (
    folder,
    secrets,
    database,
    process,
    service,
    certificate,
    open_http,
    stuck,
    jobs,
    orphans,
)
