"""The layers of the design, and what AppDaemon's reloading needs, held by walking the files."""

import ast
import re
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

APPS = Path(__file__).parent.parent / "apps"
PACKAGE = APPS / "battery_optimizer"
NAME = "battery_optimizer"
MOST_LINES = 300

LAYERS = {
    "errors": set[str](),
    "model": {"errors"},
    "forecast": {"model", "errors"},
    "optimize": {"model", "errors"},
    "control": {"model", "errors"},
    "ports": {"model"},
    "commander": {"ports", "control", "model", "errors"},
    "foresight": {"ports", "forecast", "model", "errors"},
    "cycle": {"commander", "foresight", "ports", "optimize", "control", "model", "errors"},
    "config": {"config_sections", "model", "errors"},
    "config_sections": {"model"},
    "config_docs": {"config", "model"},
    "config_private": set[str](),
    "diagnostics": {"config", "config_private", "model"},
    "adapters": {"model", "errors"},
    "hindsight": {"ports", "control", "optimize", "model", "errors"},
    "money": {"ports", "forecast", "control", "model", "errors"},
    "simulate": {
        "cycle", "foresight", "ports", "forecast", "optimize", "control", "config", "diagnostics",
        "hindsight", "money", "model", "errors",
    },
}  # fmt: skip
"""What each layer may import besides itself; a top-level module not named here is shell."""

SHELL = {*LAYERS, "host", "logbook", "turns", "watch", "wiring"} - {"simulate"}
"""The shell wires everything; a running app knows nothing of the simulator."""

COMMAND_LINE = "simulate/__main__.py"
"""Hands the simulator what only an adapter may read: the app's own database."""

HOME_APP = "simulate/home/app.py"
CLOCKS = ("app.py", HOME_APP)
"""Where the system's clock may be read."""

LIBRARIES = {
    "numpy": ("",),
    "scipy": ("optimize/", "forecast/"),
    "cvxpy": ("optimize/",),
    "highspy": ("optimize/", "simulate/bench/"),
    "pandas": ("simulate/",),
    "appdaemon": ("app.py", HOME_APP),
    "aiohttp": ("app.py", "adapters/web/site.py"),
    "requests": ("adapters/",),
    "sqlite3": ("adapters/",),
    "holidays": ("forecast/",),
    "pydantic": ("config", HOME_APP),
    "pydantic_core": ("config",),
    "yaml": ("simulate/",),
}
"""Where a library may be imported: beginnings of paths."""


@cache
def paths() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def shown(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def module_name(path: Path) -> str:
    parts = path.relative_to(APPS).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def imports(path: Path) -> Iterator[tuple[str, int]]:
    """Every module imported, and in which line."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno} is a relative import"
            yield str(node.module), node.lineno


def own_imports(path: Path) -> list[str]:
    return [name for name, _ in imports(path) if name.split(".")[0] == NAME]


def layer_of(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else ""


def system(module: str) -> str:
    """Which outside system an adapter speaks to: its folder, or the file where it has none."""
    return module.split(".")[2]


def all_files(check: Callable[[Path], None]) -> Callable[[], None]:
    """One test that goes through all files, and names each that the check refuses."""

    def test() -> None:
        wrong = []
        for path in paths():
            try:
                check(path)
            except AssertionError as error:
                wrong.append(f"{shown(path)}: {str(error).partition(chr(10))[0]}")
        assert not wrong, "\n".join(wrong)

    test.__name__, test.__doc__ = check.__name__, check.__doc__
    return test


def test_the_walk_finds_the_package() -> None:
    found = {shown(path) for path in paths()}
    assert {"app.py", "cycle.py", "model/slots.py", "simulate/__main__.py"} <= found


@all_files
def test_each_layer_imports_only_what_it_may(path: Path) -> None:
    layer = layer_of(module_name(path))
    for imported in own_imports(path):
        target = layer_of(imported)
        if shown(path) == COMMAND_LINE and imported == f"{NAME}.adapters.store.archive":
            continue
        if layer in LAYERS:
            assert target in LAYERS[layer] | {layer}, f"{layer} must not import {imported}"
        else:
            assert target in SHELL, f"the shell must not import {imported}"
        assert imported != f"{NAME}.simulate.__main__", "the command line is imported by nobody"


@all_files
def test_adapters_of_different_systems_do_not_import_each_other(path: Path) -> None:
    module = module_name(path)
    if layer_of(module) != "adapters" or path.name == "__init__.py":
        return
    for imported in own_imports(path):
        if layer_of(imported) == "adapters":
            assert system(imported) == system(module), f"it must not import {imported}"


@all_files
def test_libraries_stay_where_they_belong(path: Path) -> None:
    for name, line in imports(path):
        library = name.split(".")[0]
        if library == NAME or (library in sys.stdlib_module_names and library not in LIBRARIES):
            continue
        assert library in LIBRARIES, f"line {line}: {library} is a new dependency"
        assert shown(path).startswith(LIBRARIES[library]), (
            f"line {line}: {library} does not belong here"
        )


@all_files
def test_names_are_imported_not_modules(path: Path) -> None:
    """AppDaemon reloads by these lines, and follows no module object."""
    modules = {module_name(other) for other in paths()}
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            named = [alias.name for alias in node.names if alias.name.split(".")[0] == NAME]
            assert not named, f"line {node.lineno}: import names from {named}"
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                assert f"{node.module}.{alias.name}" not in modules, (
                    f"line {node.lineno}: {alias.name} is a module, import names from it"
                )


@all_files
def test_imports_stand_at_the_top(path: Path) -> None:
    """Neither inside functions nor under TYPE_CHECKING: AppDaemon follows neither."""
    top = {id(node) for node in tree(path).body}
    nested = [
        node.lineno
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Import | ast.ImportFrom) and id(node) not in top
    ]
    assert not nested, f"imports in lines {nested} are not at the top"


@all_files
def test_no_annotations_from_the_future(path: Path) -> None:
    assert "__future__" not in {name for name, _ in imports(path)}, "it imports __future__"


@all_files
def test_the_clock_is_read_in_the_shell_only(path: Path) -> None:
    if shown(path) in CLOCKS:
        return
    wall_clock = {"datetime": {"now", "utcnow", "today"}, "date": {"today"}, "time": {"time"}}
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            assert node.attr not in wall_clock.get(node.value.id, ()), (
                f"line {node.lineno}: pass `now` in instead"
            )
        elif isinstance(node, ast.ImportFrom) and node.module == "time":
            assert "time" not in {alias.name for alias in node.names}, "pass `now` in instead"


@all_files
def test_modules_are_of_a_size_to_be_read(path: Path) -> None:
    n_lines = len(path.read_text().splitlines())
    assert n_lines <= MOST_LINES, f"it has {n_lines} lines, not {MOST_LINES} at most"


def test_init_files_hold_docstrings_only() -> None:
    for path in PACKAGE.rglob("__init__.py"):
        assert len(tree(path).body) == 1, f"{shown(path)} holds more than a docstring"
        assert ast.get_docstring(tree(path)), f"{shown(path)} has no docstring"


def test_every_module_stands_in_the_map_of_its_package() -> None:
    """In the docstring of each folder but `adapters`, which is one outside system each."""
    for home in (PACKAGE, *(path.parent for path in PACKAGE.glob("*/__init__.py"))):
        told = set(re.findall(r"\w+", ast.get_docstring(tree(home / "__init__.py")) or ""))
        missing = {path.stem for path in home.glob("*.py")} - {"__init__"} - told
        assert home.name == "adapters" or not missing, f"{home.name}: {missing} are in no map"


def test_every_folder_is_a_package() -> None:
    """A folder of modules without `__init__.py` is itself put on AppDaemon's `sys.path`."""
    for path in paths():
        assert (path.parent / "__init__.py").exists(), f"{shown(path.parent)} is no package"


def test_no_import_cycles() -> None:
    """With one, AppDaemon starts no app at all."""
    graph = {module_name(path): own_imports(path) for path in paths()}
    done: set[str] = set()

    def visit(module: str, trail: tuple[str, ...]) -> None:
        assert module not in trail, " -> ".join((*trail[trail.index(module) :], module))
        if module not in done:
            for imported in graph.get(module, ()):
                visit(imported, (*trail, module))
            done.add(module)

    for module in graph:
        visit(module, ())


def test_nothing_of_ours_is_configuration_to_appdaemon() -> None:
    """AppDaemon reads every YAML and TOML under `apps/` as app configuration."""
    found = {
        path.relative_to(APPS).as_posix()
        for pattern in ("*.yaml", "*.yml", "*.toml")
        for path in APPS.rglob(pattern)
    }
    assert found <= {"apps.yaml"}
