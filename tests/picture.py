"""The picture in README: a real session on a host of its own. ``python -m tests.picture`` draws it, as root.

Primitives: `session` (what a terminal showed) and `draw` (that as SVG).
"""

from __future__ import annotations

import html
import io
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
from collections.abc import Callable
from fcntl import ioctl
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

from tests.system.host import on_own_host

ROOT = Path(__file__).parent.parent
PICTURE = ROOT / "docs" / "first-light.svg"
COLUMNS, LINES = 134, 50
SECONDS = 300.0
"""For the whole session; a guest under TCG on a busy machine may take a minute or two to answer."""

_SPACE = "\N{NO-BREAK SPACE}"
_TEXT = re.compile(
    r'(?P<head><text class="[^"]+") x="(?P<x>[^"]+)" y="(?P<y>[^"]+)" textLength="(?P<length>[^"]+)"'
    r"(?P<tail>[^>]*)>(?P<words>[^<\n]+)<"
)
_AFTERWARDS = ("zstack-appliance vm list", "zstack-appliance query VmNic vmInstance.name=first-vm --fields mac,ip")
_SEEN_AS = Path("/srv/zstack-appliance")
"""Where the session believes that the repository lies."""


def draw(shown: str) -> str:
    """A terminal's output, colours included, as SVG."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    console.print(Text.from_ansi(shown.replace("\r\n", "\n")), end="")
    picture = console.export_svg(title="zstack-appliance", theme=MONOKAI, unique_id="first-light")
    # A picture that fetches its letters from elsewhere tells that place who looks at it.
    picture = re.sub(r"@font-face \{.*?\}\s*", "", picture, flags=re.DOTALL)
    return _TEXT.sub(_without_margins, picture)


def _without_margins(text: re.Match[str]) -> str:
    """One piece of text without the spaces around it: some viewers drop leading ones and stretch the rest."""
    plain = html.unescape(text["words"])
    bare = plain.strip(_SPACE)
    cell = float(text["length"]) / len(plain)
    start = float(text["x"]) + cell * (len(plain) - len(plain.lstrip(_SPACE)))
    words = html.escape(bare).replace(_SPACE, "&#160;")
    return f'{text["head"]} x="{start:g}" y="{text["y"]}" textLength="{cell * len(bare):g}"{text["tail"]}>{words}<'


def session(data: Path) -> bytes:
    """What a terminal shows of ``make run`` with a new data folder, and of a few commands beside it.

    Args:
        data: an empty folder; the session sees it as ``.data``.
    """
    _settle(data)
    terminal, theirs = pty.openpty()
    ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    shown = _prompt("make run")
    cloud = _start(["make", "run"], theirs)
    shown += _read(terminal, lambda text: b" answers at " in text and text.endswith(b"\n"), cloud)
    for command in _AFTERWARDS:
        shown += _prompt(command)
        words = command.split()
        _start([str(ROOT / ".venv" / "bin" / words[0]), *words[1:]], theirs).wait()
        shown += _read(terminal, lambda text: text.endswith(b"\n") and not _more(terminal), cloud)
    os.killpg(cloud.pid, signal.SIGINT)
    cloud.wait()
    return shown


def _settle(data: Path) -> None:
    """Show the repository at a path of its own, with `data` in it."""
    mount = partial(subprocess.run, check=True)
    mount(["mount", "-t", "tmpfs", "tmpfs", "/srv"])
    _SEEN_AS.mkdir()
    mount(["mount", "--bind", str(ROOT), str(_SEEN_AS)])
    mount(["mount", "--bind", str(data), str(_SEEN_AS / ".data")])


def _start(argv: list[str], terminal: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        argv, cwd=_SEEN_AS, stdin=subprocess.DEVNULL, stdout=terminal, stderr=terminal, start_new_session=True
    )


def _prompt(command: str) -> bytes:
    return f"\x1b[1;32m#\x1b[0m \x1b[1m{command}\x1b[0m\r\n".encode()


def _read(terminal: int, enough: Callable[[bytes], bool], cloud: subprocess.Popen[bytes]) -> bytes:
    text = b""
    while not enough(text):
        if select.select([terminal], [], [], 1)[0]:
            text += os.read(terminal, 65536)
        elif cloud.poll() is not None:
            raise RuntimeError(f"the cloud has ended with {cloud.returncode}:\n{text.decode()}")
    return text


def _more(terminal: int) -> bool:
    return bool(select.select([terminal], [], [], 0)[0])


def main() -> None:
    """Play the session and draw it.

    What it stands on is set up here first: done within the session, where the repository seems to lie elsewhere,
    the environment would look for the package there ever after.
    """
    subprocess.run(["make", "setup"], cwd=ROOT, check=True)
    mount_point = ROOT / ".data"
    made = not mount_point.exists()
    mount_point.mkdir(exist_ok=True)
    try:
        with TemporaryDirectory(dir=ROOT / ".cache") as data:
            shown = on_own_host(partial(session, Path(data)), name="first-light", seconds=SECONDS)
    finally:
        if made:
            mount_point.rmdir()
    PICTURE.write_text(draw(shown.decode()), encoding="utf-8")


if __name__ == "__main__":
    main()
