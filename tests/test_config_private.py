"""Nothing that is nobody's business leaves the house."""

import re

import pytest
from pydantic import BaseModel, SecretStr

from battery_optimizer.config import Config, names_in, section_in
from battery_optimizer.config_private import REMOVED, cleaned, secrets_of, without_private

KEY = "sk_live_marked_secret"
SETTINGS = {
    "battery": {"capacity_kwh": 10},
    "rates": {
        "import_product": "agile",
        "export_product": "agile_outgoing",
        "postcode": "ZZ9 9ZZ",
        "account": "A-MARKED99",
        "api_key": KEY,
        "base_url": "https://marked_user:marked_pass@proxy.example:8443/marked?token=marked_token",
    },
    "solar": {"latitude": 51.987654, "longitude": -0.123456},
}


def test_no_private_setting_is_shown() -> None:
    config = Config.from_args(SETTINGS)
    shown = cleaned(without_private(config), secrets_of(config))
    text = repr(shown)
    assert not re.search(r"marked|MARKED|ZZ9|51\.98|0\.1234", text), text
    rates = shown["rates"]
    assert rates["api_key"] == rates["account"] == rates["postcode"] == REMOVED
    assert rates["base_url"] == "https://proxy.example:8443/..."
    assert rates["import_product"] == "agile"
    assert rates["region"] is None
    assert shown["solar"]["latitude"] == REMOVED
    assert shown["battery"]["capacity_kwh"] == 10


def secret_settings() -> list[str]:
    """Key paths of all that the settings themselves call secret."""
    found = []
    for section in names_in(Config):
        kind = section_in(Config, section)
        if kind is not None and issubclass(kind, BaseModel):
            for name, field in kind.model_fields.items():
                if "SecretStr" in repr(field.annotation):
                    found.append(f"{section}.{name}")
    return found


def test_whatever_the_settings_call_secret_is_taken_out_by_name() -> None:
    assert "rates.api_key" in secret_settings()
    for path in secret_settings():
        section, _, name = path.partition(".")

        class Settings(BaseModel):
            inner: dict[str, str]

        shown = without_private(Settings(inner={name: KEY}))
        assert shown == {"inner": {name: REMOVED}}, f"{path}: its name must tell (config_private)"
        assert section


class Example(BaseModel):
    password: SecretStr | None = None
    users: tuple[str, ...] = ()
    nested: dict[str, dict[str, str]] = {}


def test_a_private_value_is_taken_out_wherever_it_stands() -> None:
    config = Example(
        password=SecretStr("hunter22"), users=("marked_ann", "bob"), nested={"a": {"token": "tok9"}}
    )
    secrets = secrets_of(config)
    assert set(secrets) == {"hunter22", "marked_ann", "tok9"}  # bob is too short to look for
    told = {
        "reason": "refused: hunter22 is wrong",
        "list": ["x marked_ann y", 3, None, 1.5],
        "hunter22": {"deep": "tok9"},
    }
    assert cleaned(told, secrets) == {
        "reason": f"refused: {REMOVED} is wrong",
        "list": [f"x {REMOVED} y", 3, None, 1.5],
        REMOVED: {"deep": REMOVED},
    }


@pytest.mark.parametrize(
    ("told", "left"),
    [
        ("see https://a:b@host.example/path?key=1 now", "see https://host.example/... now"),
        ("http://homeassistant.local:8123", "http://homeassistant.local:8123"),
        ("http://homeassistant.local:8123/", "http://homeassistant.local:8123"),
        ("mqtt://user:pw@broker:1883", "mqtt://broker:1883"),
        ("http://host:notaport/x", REMOVED),
        ("sensor.octopus_21l1234_1012345678901_rate", "sensor.octopus_21l1234_(number)_rate"),
        ("0.123456789012345 kW", "0.123456789012345 kW"),
        ("2026-01-15T00:00:00Z", "2026-01-15T00:00:00Z"),
    ],
)
def test_addresses_lose_all_but_the_host_and_meters_their_numbers(told: str, left: str) -> None:
    assert cleaned(told, ()) == left
