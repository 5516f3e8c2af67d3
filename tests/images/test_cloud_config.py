"""The guest reads cloud configs as YAML readers do, with the awk that it really has."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from images.build import HERE
from tests.images.guest import guest_busybox

PARSER = HERE / "tiny" / "root" / "usr" / "lib" / "tiny" / "cloud-config.awk"


@pytest.fixture(scope="session")
def busybox(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The guest's busybox."""
    return guest_busybox(tmp_path_factory.mktemp("busybox"))


class Reader:
    """Runs the parser on a text; what it wrote is in `files`, what it complained of in `said`."""

    def __init__(self, busybox: Path, folder: Path, text: str) -> None:
        source = folder / "source"
        source.write_text(text, "utf-8", newline="")
        out = folder / "out"
        out.mkdir()
        argv: list[str | Path] = [busybox, "awk", "-v", f"out={out}", "-f", PARSER, source]
        done = subprocess.run(argv, capture_output=True, text=True, check=True)
        self.said = done.stdout + done.stderr
        self.files = {path.name: path.read_text("utf-8") for path in out.iterdir()}


CASES = {
    "plain": ("hostname: vm-1\n", {"hostname": "vm-1\n"}),
    "comment": ("hostname: vm-1   # mine\n# hostname: vm-2\n", {"hostname": "vm-1\n"}),
    "hash-in-value": ("password: a#b\n", {"password": "a#b\n"}),
    "double-quoted": ('password: "p\\"a\\\\ss: # x" # c\n', {"password": 'p"a\\ss: # x\n'}),
    "single-quoted": ("password: 'it''s # \\n'\n", {"password": "it's # \\n\n"}),
    "carriage-returns": ("#cloud-config\r\nhostname: vm-1\r\n", {"hostname": "vm-1\n"}),
    "document-marks": ("---\nhostname: vm-1\n...\n", {"hostname": "vm-1\n"}),
    "empty": ("hostname:\npassword: x\n", {"hostname": "", "password": "x\n"}),
    "meta-data": (
        "instance-id: i-1\nlocal-hostname: vm-1\npublic-keys:\n- ssh-rsa A me\n",
        {"instance-id": "i-1\n", "local-hostname": "vm-1\n", "public-keys": "ssh-rsa A me\n"},
    ),
    "list-indented-or-not": (
        "ssh_authorized_keys:\n  - ssh-rsa A\n  - 'ssh-rsa B'\nruncmd:\n- one\n\n- two\n",
        {"ssh_authorized_keys": "ssh-rsa A\nssh-rsa B\n", "runcmd": "one\ntwo\n"},
    ),
    "list-in-flow-style": (
        'ssh_authorized_keys: [ssh-rsa A x, "ssh-rsa B, y"]\n',
        {"ssh_authorized_keys": "ssh-rsa A x\nssh-rsa B, y\n"},
    ),
    "command-as-words": (
        "runcmd:\n  - [echo, 'it''s', \"a b\", $HOME]\n",
        {"runcmd": "'echo' 'it'\\''s' 'a b' '$HOME'\n"},
    ),
    "command-with-colon-and-quotes": (
        "runcmd:\n  - echo \"a: b\" > /tmp/x; echo 'c'\n",
        {"runcmd": "echo \"a: b\" > /tmp/x; echo 'c'\n"},
    ),
    "block-item": (
        "runcmd:\n  - |\n    if true; then\n      echo yes\n    fi\n\n  - two\n",
        {"runcmd": "if true; then\n  echo yes\nfi\ntwo\n"},
    ),
    "block-scalar-at-the-end": ("password: |-\n  secret\n", {"password": "secret\n"}),
    "folded": ("password: >\n  one\n  two\n", {"password": "one two\n"}),
    "key-over-several-lines": (
        "ssh_authorized_keys:\n  - >-\n    ssh-rsa\n    AAAA me\n",
        {"ssh_authorized_keys": "ssh-rsa AAAA me\n"},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_written_is_read(busybox: Path, tmp_path: Path, case: str) -> None:
    text, files = CASES[case]
    reader = Reader(busybox, tmp_path, text)
    assert reader.files == files
    assert not reader.said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("users:\n  - name: me\n    keys: [a]\nhostname: vm\n", "line 1: 'users' is not supported"),
        ("hostname: vm\nruncmd: [a,\n  b]\n", "line 2: a [list] must end on the line"),
        ("hostname: vm\nruncmd:\n  - {a: b}\n", "line 3: this kind of value is not understood"),
        ("hostname: vm\npassword:\n  - a\n", "line 3: 'password' takes one value"),
        ("hostname: vm\nnonsense\n", "line 2: not understood"),
    ],
)
def test_what_is_not_understood_is_named_and_the_rest_is_read(
    busybox: Path, tmp_path: Path, text: str, said: str
) -> None:
    reader = Reader(busybox, tmp_path, text)
    assert said in reader.said
    assert reader.files["hostname"] == "vm\n"


def test_only_known_keys_become_files(busybox: Path, tmp_path: Path) -> None:
    reader = Reader(busybox, tmp_path, "write_files:\n- path: /etc/x\n  content: |\n    hostname: no\n../up: 1\n")
    assert reader.files == {}


def test_commands_are_a_script_that_runs(busybox: Path, tmp_path: Path) -> None:
    text = "runcmd:\n  - [printf, '%s|', \"it's\", a  b]\n  - |\n    for n in 1 2; do\n      printf $n\n    done\n"
    script = Reader(busybox, tmp_path, text).files["runcmd"]
    done = subprocess.run([busybox, "sh", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "it's|a  b|12"
