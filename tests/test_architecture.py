"""Who may import whom, and how large things may grow. Each message gives the reason."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "zstack_appliance"

FACES = {"schema", "messages", "wire", "driver", "ledger", "tags"}
"""The modules of a cloud folder that others may import: what is stored, what can be asked, what crosses to a
host, and the functions that keep an invariant inside another folder's commit."""

KERNEL_MAY = {"apsw", "msgspec", "trio", "outcome"}
LONGEST_FILE = 450
LONGEST_FUNCTION = 60


def modules(*tops: str) -> Iterator[tuple[str, Path]]:
    """Dotted name and path of every module below these packages."""
    for top in tops:
        for path in sorted((ROOT / top).rglob("*.py")):
            yield ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"), path


def imports(path: Path) -> set[str]:
    """Every module that a file names in an import, wherever it stands in the file."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: relative imports hide which folder is meant; write the whole name"
            found.add(node.module)
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def ours(names: set[str]) -> set[str]:
    """The modules of this project among them; a name that is no module is dropped."""
    return {
        name for name in names if name.split(".")[0] in (PACKAGE, "agents") and (_is_file(name) or _is_folder(name))
    }


def _is_file(name: str) -> bool:
    return ROOT.joinpath(*name.split(".")).with_suffix(".py").is_file()


def _is_folder(name: str) -> bool:
    return ROOT.joinpath(*name.split(".")).is_dir()


def folder_of(module: str) -> str | None:
    """The cloud folder that a module is in: ``primary_storage`` also for its drivers' sub-folders."""
    parts = module.split(".")
    return parts[2] if parts[:2] == [PACKAGE, "cloud"] and len(parts) > 2 else None


KERNEL = list(modules(f"{PACKAGE}/kernel"))
HOSTKIT = list(modules(f"{PACKAGE}/hostkit"))
CLOUD = list(modules(f"{PACKAGE}/cloud"))
API = list(modules(f"{PACKAGE}/api"))
CLI = [*modules(f"{PACKAGE}/cli"), *modules(f"{PACKAGE}/tui")]
AGENTS = list(modules("agents"))
ALL = [*modules(PACKAGE, "agents", "images", "installer")]


@pytest.mark.parametrize(("module", "path"), KERNEL)
def test_kernel_knows_no_cloud(module: str, path: Path) -> None:
    """The kernel must serve resources that nobody has thought of yet, so it names none."""
    wrong = {name for name in ours(imports(path)) if not name.startswith(f"{PACKAGE}.kernel") and name != PACKAGE}
    assert not wrong, f"{module} imports {wrong}: the kernel is below everything; turn the dependency round"


@pytest.mark.parametrize(("module", "path"), KERNEL)
def test_kernel_needs_few_libraries(module: str, path: Path) -> None:
    """Remote agents carry the kernel; each library in it would be carried to every host."""
    import sys

    tops = {name.split(".")[0] for name in imports(path)}
    wrong = tops - set(sys.stdlib_module_names) - KERNEL_MAY - {PACKAGE}
    assert not wrong, f"{module} imports {wrong}: pass it in from the composition root instead"


@pytest.mark.parametrize(("module", "path"), HOSTKIT)
def test_the_host_kit_stands_on_the_kernel(module: str, path: Path) -> None:
    """It is carried to every host: it may know the kernel, and no resource."""
    allowed = (f"{PACKAGE}.kernel", f"{PACKAGE}.hostkit")
    wrong = {name for name in ours(imports(path)) if not name.startswith(allowed) and name != PACKAGE}
    assert not wrong, f"{module} imports {wrong}"


@pytest.mark.parametrize(("module", "path"), CLOUD)
def test_cloud_folders_meet_at_their_faces(module: str, path: Path) -> None:
    """A folder can be rewritten alone only while others see nothing of it but its public face."""
    here = folder_of(module)
    for name in ours(imports(path)):
        there = folder_of(name)
        if there is None:
            allowed = name.startswith((f"{PACKAGE}.kernel", f"{PACKAGE}.hostkit")) or name in (
                PACKAGE,
                f"{PACKAGE}.cloud",
            )
            assert allowed, f"{module} imports {name}: cloud folders stand on the kernel and the host kit alone"
        elif there != here and name.count(".") > 2:
            face = name.split(".")[-1]
            assert face in FACES, (
                f"{module} imports {name}: another folder is met through {', '.join(sorted(FACES))}; "
                "ask it with a message instead"
            )


@pytest.mark.parametrize(("module", "path"), CLOUD)
def test_schemas_import_schemas_only(module: str, path: Path) -> None:
    """Rows are declared before anything is asked of them; a schema that imports more makes import circles."""
    if module.rsplit(".", maxsplit=1)[-1] != "schema":
        return
    cloud = {name for name in ours(imports(path)) if folder_of(name) and _is_file(name)}
    wrong = {name for name in cloud if name.split(".")[-1] != "schema"}
    assert not wrong, f"{module} imports {wrong}"


@pytest.mark.parametrize(("module", "path"), API)
def test_doors_name_no_resource(module: str, path: Path) -> None:
    """A door serves whatever the plugins declare; naming one resource would leave the others out."""
    wrong = {name for name in ours(imports(path)) if folder_of(name)}
    assert not wrong, f"{module} imports {wrong}: use the plugin registry"


@pytest.mark.parametrize(("module", "path"), CLI)
def test_clients_never_reach_inside(module: str, path: Path) -> None:
    """The command line and the TUI are HTTP clients: they must work against any appliance, anywhere."""
    wrong = {
        name
        for name in ours(imports(path))
        if folder_of(name) and name.count(".") > 2 and name.split(".")[-1] not in ("schema", "messages", "plugin")
    }
    assert not wrong, f"{module} imports {wrong}: clients know declarations only"


@pytest.mark.parametrize(("module", "path"), AGENTS)
def test_agents_never_see_the_store(module: str, path: Path) -> None:
    """An agent runs on hosts that have no database; what it needs comes in its commands."""
    allowed_faces = {"driver", "host_side", "wire", "schema"}
    for name in ours(imports(path)):
        assert not name.startswith(f"{PACKAGE}.kernel.store"), f"{module} imports {name}"
        if folder_of(name) and name.count(".") > 2:
            assert name.split(".")[-1] in allowed_faces, f"{module} imports {name}: agents know wire structs only"


@pytest.mark.parametrize(("module", "path"), ALL)
def test_files_and_functions_stay_small(module: str, path: Path) -> None:
    """What cannot be read in one sitting gets a second reason to change."""
    text = path.read_text()
    lines = text.count("\n")
    assert lines <= LONGEST_FILE, f"{module} has {lines} lines: split it at its second reason to change"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            size = (node.end_lineno or node.lineno) - node.lineno + 1
            assert size <= LONGEST_FUNCTION, f"{module}.{node.name} has {size} lines"


@pytest.mark.parametrize(("module", "path"), ALL)
def test_every_module_says_what_it_is(module: str, path: Path) -> None:
    """A module opens by naming its few primitives."""
    assert ast.get_docstring(ast.parse(path.read_text())), f"{module} has no docstring"
