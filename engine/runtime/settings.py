"""The one settings model: defaults that run, read once in `cli.py` and passed down. Nothing reads the environment at import."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PROJECT = Path(__file__).resolve().parents[2]

SERVED = ("api", "staff", "public")
"""What a process of the API can serve: the API itself, the pages of staff, and those of residents."""


class Settings(BaseSettings):
    """What every process of a town must know. Each field is the variable `JICENG_<NAME>`.

    A local town (`jiceng up`) writes these for its children; a production town sets them itself.
    """

    model_config = SettingsConfigDict(env_prefix="JICENG_", frozen=True)

    data: Path = Field(default=Path("town"), description="folder of the local town: databases, keys, town.json")
    keys: Path | None = Field(default=None, description="folder of the key files, mode 0600; default DATA/keys")
    vault_ring: SecretStr | None = Field(
        default=None, description="the master keys of the vault themselves, as vault.json holds them, in its place"
    )
    vault_ring_command: str | None = Field(
        default=None, description="a command that prints the master keys of the vault, in the place of vault.json"
    )
    policies: Path = Field(default=PROJECT / "policies", description="folder of the town's rules")
    temporal_address: str = "127.0.0.1:7233"
    temporal_namespace: str = "default"
    temporal_token_file: Path | None = Field(
        default=None, description="file with the token for a Temporal that asks for one"
    )
    temporal_token_seconds: float = Field(
        default=30.0, gt=0, description="how often a process looks whether that token was renewed"
    )
    task_queue: str = "jiceng"
    database_url: SecretStr = SecretStr("postgresql://jiceng@127.0.0.1:5432/jiceng")
    database_connections: int = Field(default=10, ge=2, description="connections at the most, per process")
    api_token_file: Path | None = Field(
        default=None, description="file with a token of the issuer, as whom commands of the terminal call the API"
    )
    documents_url: str | None = Field(
        default=None, description="object store of the documents (file://, s3://, …); default DATA/documents"
    )
    archive_url: str | None = Field(
        default=None, description="object store of the archive (file://, s3://, …); default: in the database"
    )
    archiver_pause_seconds: float = Field(
        default=10.0, gt=0, description="real time between two passes of the archiver"
    )
    archiver_metrics: str | None = Field(
        default=None, description="HOST:PORT at which the archiver shows its figures to Prometheus; without it nowhere"
    )
    seal_seconds: float = Field(default=3600.0, gt=0, description="real time between two seals")
    api_host: str = "127.0.0.1"
    api_port: int = 8080
    api_url: str = Field(
        default="http://127.0.0.1:8080", description="where departments reach us: base of the callback address"
    )
    serve: str = Field(
        default=",".join(SERVED),
        description="what this process serves, with commas: api, staff, public (docs/console.md)",
    )
    demo_sign_in: bool = Field(
        default=False,
        description="list people as whom anybody at this machine signs in; `jiceng up --demo` sets it, for a local issuer alone",
    )
    sign_in_client: str | None = Field(
        default=None,
        min_length=1,
        description="the console's client id at the issuer: people sign in there by OpenID Connect (docs/console.md)",
    )
    sign_in_secret_file: Path | None = Field(
        default=None, description="file with the client's secret, mode 0600; without it the client is a public one"
    )
    sign_in_scopes: str = Field(default="openid", description="what the issuer is asked for, with blanks")
    sign_in_token: Literal["id_token", "access_token"] = Field(
        default="id_token", description="the token in which the issuer writes role, department and area"
    )
    site_url: str | None = Field(
        default=None, description="where browsers reach the pages, for the way back from the issuer; default API_URL"
    )
    departments_url: str | None = Field(
        default=None, description="base address that stands for `{departments}` in policies/departments.yaml"
    )
    sources_url: str | None = Field(
        default=None, description="base address that stands for `{sources}` in policies/sources.yaml"
    )
    bank_url: str | None = Field(
        default=None, description="base address that stands for `{bank}` in policies/banks.yaml"
    )
    ballot_box_url: str | None = Field(
        default=None, description="base address that stands for `{ballot_box}` in policies/ballot_box.yaml"
    )
    call_gateway_url: str | None = Field(
        default=None, description="base address that stands for `{call_gateway}` in policies/call_gateway.yaml"
    )
    token_issuer: str = "jiceng-local"  # noqa: S105 - a name, not a secret
    token_audience: str = "jiceng"  # noqa: S105 - a name, not a secret
    token_jwks: str | None = Field(
        default=None, description="public keys of the issuer: a file, or an https address; default: the local issuer's"
    )
    token_algorithms: str = Field(default="EdDSA", description="algorithms that tokens may have, with commas")
    token_clock_skew_seconds: float = Field(default=30.0, ge=0, le=300, description="by how much clocks may differ")
    token_role_claim: str = Field(default="role", min_length=1, description="claim with the role")
    token_department_claim: str = Field(default="department", min_length=1, description="claim with the department")
    token_area_claim: str = Field(default="area", min_length=1, description="claim with the area")
    token_identity_claim: str = Field(
        default="verified_identity",
        min_length=1,
        description="claim with what the issuer verified of whose account it is: a digest (docs/decisions/0009)",
    )
    local_issuer: bool = Field(
        default=False, description="believe tokens of the town's own making; `jiceng up` sets it"
    )
    hsts_seconds: int = Field(
        default=0, ge=0, description="so long browsers come by https only (Strict-Transport-Security); 0 says nothing"
    )
    requests_per_token: float = Field(
        default=20.0, ge=0, description="requests per second of one account, over time; 0: as many as it likes"
    )
    requests_per_address: float = Field(
        default=50.0, ge=0, description="requests per second from one address, over time; 0: as many as it likes"
    )
    connections_per_address: int = Field(
        default=500,
        ge=0,
        description="open connections of one address; 0: as many as it likes, as behind a proxy of ours",
    )
    half_sent_per_address: int = Field(
        default=100, ge=0, description="of these, so many whose request has only begun; the oldest goes; 0: no bound"
    )
    head_seconds: float = Field(default=10.0, gt=0, description="so long the head of a request may take")
    body_grace_seconds: float = Field(default=15.0, gt=0, description="so long a body may take, and by its size longer")
    body_least_rate: float = Field(
        default=4096.0, gt=0, description="bytes of a body that must come per second, after the grace"
    )
    trusted_proxies: str = Field(
        default="",
        description="addresses or networks of proxies whose X-Forwarded-For and -Proto are believed, with commas",
    )
    hosts: str = Field(
        default="", description="names by which the API may be called, with commas, without ports; none: by any"
    )
    metrics_token_file: Path | None = Field(
        default=None,
        description="file with the token that /metrics asks for; default DATA/metrics-token",
    )
    burst_seconds: float = Field(default=10.0, gt=0, description="so many seconds' worth may come at once")
    speed: float = Field(default=1.0, gt=0, description="town seconds per real second; fixed when the town is founded")
    tells_with_answers: bool = Field(
        default=True, description="new cases tell the ledger by their answers to commands (docs/decisions/0011)"
    )
    history_limit: int = Field(default=1000, ge=20, description="events after which a case continues as a new run")
    delivery_patience_seconds: float = Field(default=2.0, gt=0, description="how long a caller waits before 202")
    untaken_seconds: float = Field(
        default=60.0,
        gt=0,
        description="so long after a case was begun it is looked for if no worker took it up; later less and less often",
    )
    notice_delay_seconds: float = Field(
        default=10.0, ge=0, description="how old a notice is before it is sent, unless its case has gone on since"
    )
    sandbox: bool = Field(
        default=False, description="run cases in Temporal's sandbox, as all tests do: slower, see docs/decisions/0002"
    )
    worker_metrics: str | None = Field(
        default=None, description="HOST:PORT at which each worker shows its figures to Prometheus; without it nowhere"
    )
    worker_processes: int = Field(
        default=1, ge=1, le=64, description="processes of a worker, each of which uses one core"
    )
    workflow_cache: int = Field(default=600, ge=0, description="cases kept in a worker's memory; 0 replays every task")
    codec_origin: str | None = Field(
        default=None, description="origin of the Temporal UI that may have payloads decoded; without it nobody may"
    )
    log_level: str = "INFO"

    @field_validator("serve")
    @classmethod
    def _something_that_can_be_served(cls, serve: str) -> str:
        named = _words(serve)
        if not named or named - set(SERVED):
            raise ValueError(f"is made of {', '.join(SERVED)}, with commas")
        return serve

    @property
    def serves(self) -> frozenset[str]:
        """What this process serves."""
        return _words(self.serve)

    @property
    def key_folder(self) -> Path:
        """Where the key files lie."""
        return self.keys or self.data / "keys"


def _words(text: str) -> frozenset[str]:
    return frozenset(each.strip() for each in text.split(",") if each.strip())
