"""The production shape, as far as it can be checked without a Docker engine: its files against the code."""

import re
from collections import Counter
from pathlib import Path
from typing import Any

import yaml

from engine.outside.notices import SEND_LIMIT_SECONDS
from engine.runtime.settings import Settings
from local.cluster.compose import Compose
from local.town.town_processes import PROCESSES
from schemas.values.search_attributes import SEARCH_ATTRIBUTES
from starter.serve import GRACE_SECONDS

PROJECT = Path(__file__).resolve().parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((PROJECT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
TOKEN_FILE = "JICENG_TEMPORAL_TOKEN_FILE"
ONE_SHOT = {name for name, service in SERVICES.items() if service["restart"].startswith("on-failure")}
BY_HAND = {name for name, service in SERVICES.items() if service["restart"] == "no"}
OURS = {name for name, service in SERVICES.items() if service["image"].startswith("jiceng:")}


def test_every_jiceng_variable_is_a_setting() -> None:
    """A misspelt JICENG_ variable would be ignored without a word."""
    given = {
        name for service in SERVICES.values() for name in service.get("environment", {}) if name.startswith("JICENG_")
    }

    assert "JICENG_DATABASE_URL" in given
    assert given <= {f"JICENG_{name.upper()}" for name in Settings.model_fields}


def test_every_variable_that_ours_are_given_is_read_by_somebody() -> None:
    """Our containers get our settings, the password file of Postgres clients, and nothing that no program of ours reads."""
    given = {name for service in OURS for name in SERVICES[service].get("environment", {})}

    assert {name for name in given if not name.startswith("JICENG_")} == {"PGPASSFILE"}


def test_every_choice_left_to_the_town_is_said_in_the_docs() -> None:
    """What the file takes from the town's environment stands in docs/production.md, so that nobody has to read YAML."""
    text = (PROJECT / "docker-compose.yml").read_text(encoding="utf-8")
    choices = set(re.findall(r"(?<!\$)\$\{([A-Z_]+)", text))
    page = (PROJECT / "docs" / "production.md").read_text(encoding="utf-8")

    assert {"JICENG_API_URL", "JICENG_PUBLISH"} <= choices
    assert {name for name in choices if name not in page} == set()


def test_what_runs_in_a_local_town_runs_in_production() -> None:
    """Every process of `jiceng up`, but for simulated people and departments, is a service with the same command."""
    local = {process.name for process in PROCESSES if not process.demo}

    assert local == {"worker", "api", "notices", "archiver"}
    assert {name: SERVICES[name]["command"] for name in local} == {name: ["jiceng", name] for name in local}


def test_every_service_of_ours_says_which_settings_it_runs_by() -> None:
    """Worker, API, notices and preparation share data folder, database, namespace and addresses: one town."""
    shared = COMPOSE["x-our-settings"]

    for name in OURS - {"temporal-jwks"}:
        assert SERVICES[name]["environment"].items() >= shared.items()
        assert [mount for mount in SERVICES[name]["volumes"] if not mount.startswith("./secrets/")] == ["town:/town"]


def test_a_renewed_token_is_seen_by_who_shows_it() -> None:
    """A mounted file stays the one that the container began with: so the folder is mounted, and each sees its own alone."""
    showing = {name: service for name, service in SERVICES.items() if TOKEN_FILE in service.get("environment", {})}
    places = {
        name: Compose().place_of(name, service["environment"][TOKEN_FILE], Path()) for name, service in showing.items()
    }

    assert places == {
        "worker": Path("temporal-token-worker/token"),
        "archiver": Path("temporal-token-worker/token"),
        "api": Path("temporal-token-api/token"),
    }
    mounts = [mount for service in SERVICES.values() for mount in service.get("volumes", ()) if "secrets" in mount]
    assert all(re.fullmatch(r"\./secrets/temporal-(jwks|token-worker|token-api):/\S+:ro", mount) for mount in mounts)


def test_every_service_is_watched_or_ends() -> None:
    """What keeps running has a health check and comes back by itself; one-shots are tried again when they fail."""
    assert {name for name, service in SERVICES.items() if "healthcheck" not in service} == ONE_SHOT | BY_HAND
    assert {"temporal-schema", "temporal-namespace", "town-preparation"} == ONE_SHOT
    assert {SERVICES[name]["restart"] for name in SERVICES.keys() - ONE_SHOT - BY_HAND} == {"unless-stopped"}


def test_a_town_is_restored_before_anything_has_run_in_it() -> None:
    """The restore starts nothing that would write into folder or database, has the password, and never begins by itself."""
    assert {"town-restore"} == BY_HAND
    service = SERVICES["town-restore"]

    assert service["profiles"] == ["restore"]
    assert "depends_on" not in service
    assert set(service["secrets"]) == set(SERVICES["town-preparation"]["secrets"])
    assert service["command"][2] == f"/run/secrets/{service['secrets'][0]}"
    assert not any("town-restore" in each.get("depends_on", ()) for each in SERVICES.values())


def test_nothing_but_the_api_is_published() -> None:
    """Temporal's ports, the databases and the UI are not reachable from outside; the API on this machine only by default."""
    assert {name for name, service in SERVICES.items() if "ports" in service} == {"api"}
    assert SERVICES["api"]["ports"] == ["${JICENG_PUBLISH:-127.0.0.1:8080}:8080"]
    assert not any("network_mode" in service for service in SERVICES.values())


def test_every_image_is_pinned() -> None:
    """Each image names its version, Temporal's are of one release, and the retired ones are not used."""
    images = {service["image"] for service in SERVICES.values()}
    base = re.findall(r"^FROM (\S+)", (PROJECT / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)
    version = re.search(r'^version = "(.+)"', (PROJECT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)

    assert version is not None
    assert images == {
        f"jiceng:{version[1]}", "postgres:18", "temporalio/server:1.32.0", "temporalio/admin-tools:1.32.0",
        "temporalio/ui:2.54.1",
    }  # fmt: skip
    assert all(re.fullmatch(r"\S+:\d\S*", image) for image in (*images, *base))


def test_search_attributes_are_those_of_the_cases() -> None:
    """A missing search attribute lets every case fail for ever."""
    given = SERVICES["temporal-namespace"]["environment"]["SEARCH_ATTRIBUTES"]

    assert dict(pair.split("=") for pair in given.split()) == SEARCH_ATTRIBUTES
    kinds = Counter(SEARCH_ATTRIBUTES.values())
    assert kinds["Keyword"] <= 10
    assert kinds["Datetime"] <= 3


def test_data_lies_in_named_volumes_and_secrets_in_files() -> None:
    """What must last is in a named volume; what is mounted from the project is read-only; no password stands in the file."""
    mounts = [mount for service in SERVICES.values() for mount in service.get("volumes", ())]
    named = {mount.split(":")[0] for mount in mounts if not mount.startswith(".")}
    used = {secret for service in SERVICES.values() for secret in service.get("secrets", ())}

    assert named == set(COMPOSE["volumes"])
    assert all(mount.endswith(":ro") for mount in mounts if mount.startswith("."))
    assert used == set(COMPOSE["secrets"])
    assert all(set(secret) == {"file"} for secret in COMPOSE["secrets"].values())
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            assert not re.search(r"PASSWORD|PWD|TOKEN", name) or str(value).startswith(
                ("/run/secrets/", "/run/temporal-token/", "${JICENG_TOKEN_")
            )


def test_every_mounted_file_exists() -> None:
    """A file of deploy/ that is mounted or run is there; what is not there is a secret, and made by make_secrets.py."""
    mounted = [
        mount.split(":")[0]
        for service in SERVICES.values()
        for mount in service.get("volumes", ())
        if mount.startswith(".")
    ]
    run = [part for service in SERVICES.values() for part in service.get("command", ()) if part.startswith("deploy/")]

    assert [
        path for path in (*mounted, *run) if not path.startswith("./secrets/") and not (PROJECT / path).exists()
    ] == []


def test_temporal_lets_nobody_in_without_a_token() -> None:
    """Authorizer, claim mapper and keys are set, and only Temporal's own services use the internal frontend."""
    environment = SERVICES["temporal"]["environment"]

    assert (environment["TEMPORAL_AUTH_AUTHORIZER"], environment["TEMPORAL_AUTH_CLAIM_MAPPER"]) == ("default",) * 2
    assert environment["TEMPORAL_JWT_KEY_SOURCE1"].startswith("http://temporal-jwks:")
    assert environment["USE_INTERNAL_FRONTEND"] == "true"
    assert "internal-frontend" in environment["TEMPORAL_SERVICES"].split(",")
    assert environment["NUM_HISTORY_SHARDS"] == 512
    assert "7236" not in (PROJECT / "docker-compose.yml").read_text(encoding="utf-8")


def test_our_database_is_apart_from_temporals() -> None:
    """Two servers, two volumes, two passwords, and no network on which both stand."""
    ours, theirs = SERVICES["postgres"], SERVICES["temporal-postgres"]

    for part in ("networks", "secrets"):
        assert not set(ours[part]) & set(theirs[part])
    assert "jiceng-database:/var/lib/postgresql" in ours["volumes"]
    assert "temporal-database:/var/lib/postgresql" in theirs["volumes"]


def test_processes_are_given_time_to_end() -> None:
    """The worker may finish what it has taken in, and an init passes signals on: process 1 would not hear them."""
    assert SERVICES["worker"]["stop_grace_period"] == "45s"
    assert SERVICES["worker"]["stop_signal"] == "SIGTERM"
    assert int(SERVICES["notices"]["stop_grace_period"].rstrip("s")) > SEND_LIMIT_SECONDS
    assert int(SERVICES["api"]["stop_grace_period"].rstrip("s")) > GRACE_SECONDS
    assert all(SERVICES[name]["init"] for name in OURS)
    assert "\nSTOPSIGNAL SIGINT\n" in (PROJECT / "Dockerfile").read_text(encoding="utf-8")


def test_the_codec_endpoint_is_off_in_production() -> None:
    """Until the endpoint knows who is asking, nobody can have payloads opened."""
    assert not any("JICENG_CODEC_ORIGIN" in service.get("environment", {}) for service in SERVICES.values())


def test_the_docs_say_that_it_has_not_been_run() -> None:
    """Nothing says done that was not run."""
    for page in ("docs/production.md", "docker-compose.yml"):
        assert "has NOT been run" in (PROJECT / page).read_text(encoding="utf-8")
