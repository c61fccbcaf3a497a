"""`make run`: the app in a real AppDaemon, around Home Assistant or else a simulated home.

AppDaemon writes beside its configuration and reads every YAML below its app folder, so it runs on a
folder made for it, `build/run`: links to the checkout's own files, and what is missing of a home.
Home Assistant is used if HA_URL and HA_TOKEN are set, if secrets.yaml has ha_url and ha_token, or
if appdaemon.yaml names a plugin.
"""

import argparse
import errno
import os
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import yaml

from battery_optimizer.config import Config
from battery_optimizer.errors import ConfigError
from battery_optimizer.simulate.connection import connection_problem

ROOT: Final = Path(__file__).resolve().parents[3]
RUN: Final = ROOT / "build" / "run"
APP: Final = "battery_optimizer"
SIMULATED: Final = "simulated_home"
HOME_KEYS: Final = ("battery", "inverter", "grid")
USUAL_PORTS: Final = {"http": 80, "https": 443}


class _Tagged(str):
    """A scalar with a tag, such as !secret ha_token."""

    __slots__ = ("tag",)
    tag: str


def _tagged(tag: str, text: str) -> _Tagged:
    made = _Tagged(text)
    made.tag = tag
    return made


# AppDaemon's tags are taken and written as they stand.
_Loader: Any = type("_Loader", (yaml.SafeLoader,), {})
_Loader.add_multi_constructor("!", lambda _, suffix, node: _tagged(f"!{suffix}", str(node.value)))
_Dumper: Any = type("_Dumper", (yaml.SafeDumper,), {})
_Dumper.add_representer(
    _Tagged, lambda dumper, value: dumper.represent_scalar(value.tag, str(value))
)


def prepare(
    run: Path, *, environment: Mapping[str, str], url: str | None = None, root: Path = ROOT
) -> bool:
    """Fill AppDaemon's configuration folder; whether a Home Assistant is connected."""
    apps = run / "apps"
    apps.mkdir(parents=True, exist_ok=True)
    _link(apps / APP, root / "apps" / APP)
    _link(apps / "apps.yaml", root / "apps" / "apps.yaml")
    secrets: dict[str, Any] = {}
    if (root / "secrets.yaml").exists():
        _link(run / "secrets.yaml", root / "secrets.yaml")
        _link(apps / "secrets.yaml", root / "secrets.yaml")
        secrets = _read(root / "secrets.yaml")
    # Read in any case: AppDaemon answers a mistake in it with a traceback.
    settings = _read(root / "apps" / "apps.yaml")
    config = _read(root / "appdaemon.yaml")
    config["appdaemon"]["app_dir"] = str(apps)
    plugins = config["appdaemon"].setdefault("plugins", {})
    plugins |= _home_assistant(environment, secrets) if not plugins else {}
    if url is not None:
        config["http"]["url"] = url
    _write(run / "appdaemon.yaml", config)
    home = apps / f"{SIMULATED}.yaml"
    if plugins:
        home.unlink(missing_ok=True)
    else:
        _write(home, _simulated(settings))
    return bool(plugins)


def main(arguments: list[str]) -> None:
    """Become AppDaemon."""
    parser = argparse.ArgumentParser(prog="python -m battery_optimizer.simulate.live")
    parser.add_argument("--folder", type=Path, default=RUN, help="AppDaemon's folder (%(default)s)")
    parser.add_argument("--url", help="where to serve, as http://127.0.0.1:5050")
    given = parser.parse_args(arguments)
    folder: Path = given.folder.resolve()
    try:
        _make_ready(folder, given.url)
    except ConfigError as error:
        sys.exit(str(error))
    # In place of this process, so that Ctrl-C and SIGTERM reach AppDaemon itself.
    os.execv(  # noqa: S606 - our own interpreter
        sys.executable, [sys.executable, "-m", "appdaemon", "-c", str(folder)]
    )


def _make_ready(folder: Path, url: str | None) -> None:
    """Fill the folder and say what is to come; ConfigError for what would be in the way."""
    served = url or str((_read(ROOT / "appdaemon.yaml").get("http") or {}).get("url"))
    # Before anything is written: what serves there may be an AppDaemon that watches this folder.
    _require_free(served)
    is_real = prepare(folder, environment=os.environ, url=url)
    where = "Home Assistant" if is_real else "a simulated home"
    sys.stdout.write(
        f"Battery Optimizer around {where}; the page is at {served}/app/{APP}; Ctrl-C stops it\n"
    )
    sys.stdout.flush()
    if is_real:
        _say_whether_connected(folder)


def _require_free(served: str) -> None:
    """AppDaemon goes on without a page where it cannot serve, so that is looked at before."""
    try:
        address = urlsplit(served)
        host, port = address.hostname or "", address.port or USUAL_PORTS[address.scheme]
    except (ValueError, KeyError) as error:
        raise ConfigError(
            f"`url` in appdaemon.yaml must be as http://127.0.0.1:5050, not {served!r}"
        ) from error
    try:
        # As AppDaemon does it, so that a port just given up is free.
        socket.create_server((host, port), family=_family(host)).close()
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise ConfigError(
                f"port {port} is in use: change `url` in appdaemon.yaml, or end what serves there"
            ) from error
        raise ConfigError(
            f"port {port} cannot be had ({error}): see `url` in appdaemon.yaml"
        ) from error


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _say_whether_connected(folder: Path) -> None:
    """ConfigError if Home Assistant refuses the token."""
    secrets = folder / "secrets.yaml"
    sources = {"!env_var": os.environ, "!secret": _read(secrets) if secrets.exists() else {}}
    plugin = _read(folder / "appdaemon.yaml")["appdaemon"]["plugins"].get("HASS") or {}
    url, token = (
        str(sources[value.tag].get(value) if isinstance(value, _Tagged) else value)
        for value in (plugin.get("ha_url"), plugin.get("token"))
    )
    problem = connection_problem(url, token)
    if problem is not None:
        sys.stderr.write(f"{problem}\n")


def _home_assistant(
    environment: Mapping[str, str], secrets: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
    """AppDaemon's plugin; the token stays where it is and is only referred to."""
    for source, tag, url, token in (
        (environment, "!env_var", "HA_URL", "HA_TOKEN"),
        (secrets, "!secret", "ha_url", "ha_token"),
    ):
        if source.get(url) and source.get(token):
            plugin = {"type": "hass", "ha_url": str(source[url]), "token": _tagged(tag, token)}
            return {"HASS": plugin}
    return {}


def _simulated(apps: Mapping[str, Any]) -> dict[str, Any]:
    """A home with the hardware and names that the app's settings speak of.

    AppDaemon joins what files say of one app: ours starts after its home, and stops before it.
    """
    settings = apps.get(APP)
    if not isinstance(settings, Mapping):
        raise ConfigError(f"apps/apps.yaml: below the line `{APP}:` there must be settings")
    entities = settings.get("entities")
    prefix = entities.get("prefix") if isinstance(entities, Mapping) else None
    home = {
        "module": f"{APP}.simulate.home.app",
        "class": "SimulatedHome",
        "work_mode": "Back-up",  # so that one sees the app set a mode
        "prefix": prefix or "foxess",
        **_hardware(settings),
    }
    ours = {key: settings[key] for key in ("module", "class")}
    return {SIMULATED: home, APP: {**ours, "dependencies": [SIMULATED]}}


def _hardware(settings: Mapping[str, Any]) -> dict[str, Any]:
    """What the home is built of; nothing where a setting is wrong: the app shall say which."""
    try:
        Config.from_args(settings)
    except ConfigError:
        return {}
    return {key: settings[key] for key in HOME_KEYS if key in settings}


def _link(link: Path, target: Path) -> None:
    if link.is_symlink() or link.exists():
        link.unlink()
    link.symlink_to(target)


def _read(path: Path) -> dict[str, Any]:
    """The file's content; ConfigError says in which line it is wrong, and what to do."""
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 - is safe
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"{path} cannot be read: {_what_to_do(error)}") from error
    return content if isinstance(content, dict) else {}


def _what_to_do(error: Exception) -> str:
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return str(error)
    where = f"line {error.problem_mark.line + 1}"
    if "'\\t'" in str(error.problem):
        return f"{where} has a tab; indent with spaces instead"
    return f"{where}: {error.problem}; see how that line and the one before it are indented"


def _write(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(yaml.dump(content, Dumper=_Dumper, sort_keys=False), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
