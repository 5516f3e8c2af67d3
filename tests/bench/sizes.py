"""How large the program is: files and functions in lines, and what the resource that came last took.

Run it with ``python -m tests.bench.sizes``. Tests are left out of the first, and counted in the second.
"""

from __future__ import annotations

import ast
import statistics
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

PACKAGES = ("zstack_appliance", "agents", "images")


def functions(source: str) -> list[tuple[int, str]]:
    """Lines and name of every function in a file."""
    return [
        ((node.end_lineno or node.lineno) - node.lineno + 1, node.name)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def spread(what: str, sizes: Sequence[tuple[int, str]]) -> str:
    """Number, median, ninth decile and the largest."""
    lines = [size for size, _ in sizes]
    most, name = max(sizes)
    tenths = statistics.quantiles(lines, n=10)
    middle = f"median {statistics.median(lines):4.0f}  p90 {tenths[8]:4.0f}"
    return f"{len(lines):5} {what:10} {middle}  largest {most} ({name})"


def lines_of(paths: Iterable[Path]) -> int:
    """Lines of several files together."""
    return sum(len(path.read_text().splitlines()) for path in paths)


def last_resource() -> Path:
    """The resource folder that came last: the one whose ``schema.py`` has the newest first commit."""
    listed = subprocess.run(
        ["git", "log", "--diff-filter=A", "--name-only", "--format=", "--", "zstack_appliance/cloud/*/schema.py"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    return next(path.parent for path in map(Path, listed) if path.exists())


def main() -> None:
    """Print all of it."""
    files = [path for package in PACKAGES for path in Path(package).rglob("*.py")]
    print(spread("files", [(lines_of([path]), str(path)) for path in files if path.stat().st_size]))
    print(spread("functions", [one for path in files for one in functions(path.read_text())]))
    folder = last_resource()
    tests = Path("tests", *folder.parts[1:])
    print(f"the resource that came last, {folder}, took")
    for path in sorted(folder.rglob("*.py")):
        print(f"  {lines_of([path]):5} {path.relative_to(folder)}")
    print(f"  {lines_of(folder.rglob('*.py')):5} in all, and {lines_of(tests.rglob('*.py'))} of tests of its own")


if __name__ == "__main__":
    main()
