"""The picture in README: a real session on a host of its own. ``python -m tests.picture`` draws it, as root.

Primitives: `session` (what a terminal showed) and `draw` (that as SVG).
"""

from __future__ import annotations

import io
import os
import pty
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
COLUMNS, LINES = 128, 50
SECONDS = 300.0
"""For the whole session; a guest under TCG on a busy machine may take a minute or two to answer."""

_AFTERWARDS = ("zstack-appliance vm list", "zstack-appliance query VmNic vmInstance.name=first-vm --fields mac,ip")
_SEEN_AS = Path("/srv/zstack-appliance")
"""Where the session believes that the repository lies."""


def draw(shown: str) -> str:
    """A terminal's output, colours included, as SVG."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    console.print(Text.from_ansi(shown.replace("\r\n", "\n")), end="")
    return console.export_svg(title="zstack-appliance", theme=MONOKAI, unique_id="first-light")


def session(data: Path) -> bytes:
    """What a terminal shows of ``make run`` with a new data folder, and of a few commands beside it.

    Args:
        data: an empty folder; the session sees it as ``.data``.
    """
    _settle(data)
    terminal, theirs = pty.openpty()
    ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    run = partial(subprocess.Popen, cwd=_SEEN_AS, stdin=subprocess.DEVNULL, start_new_session=True)
    shown = _prompt("make run")
    cloud = run(["make", "run"], stdout=theirs, stderr=theirs)
    shown += _read(terminal, until=lambda text: b" answers at " in text and text.endswith(b"\n"))
    for command in _AFTERWARDS:
        shown += _prompt(command)
        words = command.split()
        run([str(ROOT / ".venv" / "bin" / words[0]), *words[1:]], stdout=theirs, stderr=theirs).wait()
        shown += _read(terminal, until=lambda text: text.endswith(b"\n") and not _more(terminal))
    os.killpg(cloud.pid, signal.SIGINT)
    cloud.wait()
    return shown


def _settle(data: Path) -> None:
    """Show the repository at a path of its own, with `data` in it."""
    mount = partial(subprocess.run, check=True)
    mount(["mount", "-t", "tmpfs", "tmpfs", "/srv"])
    _SEEN_AS.mkdir()
    (ROOT / ".data").mkdir(exist_ok=True)
    mount(["mount", "--bind", str(ROOT), str(_SEEN_AS)])
    mount(["mount", "--bind", str(data), str(_SEEN_AS / ".data")])


def _prompt(command: str) -> bytes:
    return f"\x1b[1;32m#\x1b[0m \x1b[1m{command}\x1b[0m\r\n".encode()


def _read(terminal: int, until: Callable[[bytes], bool]) -> bytes:
    text = b""
    while not until(text):
        text += os.read(terminal, 65536)
    return text


def _more(terminal: int) -> bool:
    return struct.unpack("i", ioctl(terminal, termios.FIONREAD, struct.pack("i", 0)))[0] > 0


def main() -> None:
    """Play the session and draw it."""
    with TemporaryDirectory(dir=ROOT / ".cache") as data:
        shown = on_own_host(partial(session, Path(data)), name="first-light", seconds=SECONDS)
    PICTURE.write_text(draw(shown.decode()), encoding="utf-8")


if __name__ == "__main__":
    main()
