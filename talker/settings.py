"""Every environment variable the programs read, typed; see `.env.example` for what each means."""

from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from talker.errors import BadSettings

OPENROUTER = "https://openrouter.ai/api/v1"
LOCAL = "local"
"""The EMBEDDING_MODEL that runs on this machine."""

EXAMPLE_SECRET = "change-me"  # noqa: S105 - the point is that it is no secret
"""What `.env.example` shows for a secret; production refuses it."""

_DATABASE_SCHEMES = ("postgresql+psycopg", "postgresql+asyncpg", "postgresql", "postgres")


def _split(value: object) -> object:
    """A comma-separated list, as an environment variable has it."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def _database_url(value: object) -> object:
    """Any usual form of a Postgres URL, as plain libpq has it; empty stays empty."""
    if not isinstance(value, str) or not value.strip():
        return value
    scheme, separator, rest = value.strip().partition("://")
    if not separator or scheme not in _DATABASE_SCHEMES:
        raise ValueError(
            "must start with postgresql://, postgres://, postgresql+psycopg:// or "
            "postgresql+asyncpg://"
        )
    return f"postgresql://{rest}"


def _base_url(value: object) -> object:
    return value.strip().rstrip("/") if isinstance(value, str) else value


def _supadata_base(value: object) -> object:
    """Supadata's API lives under /v1; a base without it works too."""
    if not isinstance(value, str):
        return value
    base = value.strip().rstrip("/")
    return base if base.endswith("/v1") else f"{base}/v1"


def _networks(value: object) -> object:
    """A comma-separated list of addresses and networks, as `ipaddress` reads them."""
    names = _split(value)
    for name in names if isinstance(names, tuple) else ():
        try:
            ip_network(name)
        except ValueError:
            raise ValueError(
                f"takes addresses and networks such as 127.0.0.1,172.16.0.0/12, not {name}"
            ) from None
    return names


LogFormat = Literal["json", "text"]
Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
Networks = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_networks)]


class Settings(BaseSettings):
    """Settings from the environment, then `.env`, then the defaults here.

    Raises BadSettings, through `load_settings`, with a sentence for each wrong variable.
    """

    model_config = SettingsConfigDict(
        env_file=".env", env_file_encoding="utf-8", env_ignore_empty=True, extra="ignore"
    )

    environment: Literal["development", "production"] = "development"
    data_dir: Path = Path("data")
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    web_processes: int = Field(default=1, ge=1)
    serve_worker: bool = True
    public_url: Annotated[str, BeforeValidator(_base_url)] = ""
    allowed_origins: Names = ()
    trusted_proxies: Networks = ("127.0.0.1", "::1")
    drain_s: float = Field(default=0, ge=0)
    auth: Literal["local", "accounts"] = "local"
    registration: Literal["open", "invite", "closed"] = "open"
    secret_key: SecretStr | None = None
    session_days: int = Field(default=30, ge=1, le=3650)
    invitation_days: int = Field(default=7, ge=1, le=365)
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: LogFormat | None = None

    database_url: Annotated[str, BeforeValidator(_database_url)] = ""
    qdrant_url: Annotated[str, BeforeValidator(_base_url)] = ""
    qdrant_api_key: SecretStr | None = None

    openrouter_api_key: SecretStr | None = None
    openrouter_base_url: Annotated[str, BeforeValidator(_base_url)] = OPENROUTER
    chat_models: Names = ("anthropic/claude-haiku-4.5", "google/gemini-2.5-flash")
    router_model: str = "google/gemini-2.5-flash"
    embedding_model: str = LOCAL
    model_timeout_s: float = Field(default=60, gt=0)
    model_stall_s: float = Field(default=30, gt=0)
    model_max_tokens: int = Field(default=6_000, ge=1)
    daily_budget_usd: float = Field(default=0, ge=0)

    supadata_api_key: SecretStr | None = None
    supadata_base_url: Annotated[str, BeforeValidator(_supadata_base)] = (
        "https://api.supadata.ai/v1"
    )
    supadata_rate: float = Field(default=10, gt=0)
    transcript_providers: Names = ("supadata", "youtube")
    youtube_rate: float = Field(default=1, gt=0)
    youtube_proxy: SecretStr | None = None

    smtp_host: str = ""
    smtp_port: int = Field(default=587, ge=1, le=65535)
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    smtp_user: str = ""
    smtp_password: SecretStr | None = None
    mail_from: str = ""

    langsmith_tracing: bool = False
    langsmith_api_key: SecretStr | None = None
    langsmith_endpoint: Annotated[str, BeforeValidator(_base_url)] = (
        "https://api.smith.langchain.com"
    )
    langsmith_project: str = "youtubetalker"
    otel_exporter_otlp_endpoint: Annotated[str, BeforeValidator(_base_url)] = ""
    otel_exporter_otlp_headers: SecretStr | None = None
    otel_service_name: str = "youtubetalker"

    quota_videos: int = Field(default=0, ge=0)
    quota_hours: float = Field(default=0, ge=0)
    quota_storage_mb: float = Field(default=0, ge=0)

    max_question_chars: int = Field(default=8_000, ge=1)
    max_upload_mb: int = Field(default=20, ge=1)
    max_video_hours: int = Field(default=12, ge=1)
    worker_concurrency: int = Field(default=8, ge=1)
    max_failed_logins: int = Field(default=20, ge=1)
    max_failed_logins_per_account: int = Field(default=500, ge=0)
    max_failed_logins_per_address: int = Field(default=100, ge=1)
    max_registrations_per_address: int = Field(default=100, ge=1)
    max_reset_mails: int = Field(default=5, ge=1)
    max_questions_per_minute: int = Field(default=60, ge=0)
    max_questions_per_day: int = Field(default=5_000, ge=0)
    max_sources_per_hour: int = Field(default=10_000, ge=0)
    max_uploads_per_hour: int = Field(default=1_000, ge=0)
    max_requests_per_minute: int = Field(default=6_000, ge=0)
    max_messages_per_second: int = Field(default=50, ge=0)
    max_messages_per_minute: int = Field(default=1_000, ge=0)
    max_sockets: int = Field(default=1_000, ge=0)
    limits_per_address: int = Field(default=10, ge=0)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        unknown = set(self.transcript_providers) - {"supadata", "youtube"}
        if unknown:
            names = ", ".join(sorted(unknown))
            raise ValueError(f"TRANSCRIPT_PROVIDERS knows supadata and youtube, not {names}")
        if not self.chat_models:
            raise ValueError("CHAT_MODELS must name at least one model")
        if self.langsmith_tracing and self.langsmith_api_key is None:
            raise ValueError("LANGSMITH_TRACING needs LANGSMITH_API_KEY")
        if self.auth == "local" and not _is_loopback(self.host):
            raise ValueError(
                f"AUTH=local has no login, so HOST must be a loopback address, not {self.host}; "
                "set AUTH=accounts to serve other machines"
            )
        if self.auth == "accounts":
            self._check_accounts()
        if self.environment == "production":
            self._refuse_missing_secrets()
        return self

    def _check_accounts(self) -> None:
        if self.secret_key is None:
            raise ValueError("SECRET_KEY must be set to a secret of your own with AUTH=accounts")
        if self.smtp_host and not (self.public_url and self.mail_from):
            # The address in a request's Host is anybody's to choose.
            raise ValueError(
                "SMTP_HOST needs PUBLIC_URL, the address that the mails' links lead to, and "
                "MAIL_FROM, whom they come from"
            )

    def _refuse_missing_secrets(self) -> None:
        if self.secret_key is None or self.secret_key.get_secret_value() == EXAMPLE_SECRET:
            raise ValueError("SECRET_KEY must be set to a secret of your own in production")
        if EXAMPLE_SECRET in (urlsplit(self.database_url).password or ""):
            raise ValueError("DATABASE_URL still has the example password")
        if self.qdrant_api_key and self.qdrant_api_key.get_secret_value() == EXAMPLE_SECRET:
            raise ValueError("QDRANT_API_KEY is still the example's")

    @property
    def log_shape(self) -> LogFormat:
        """How log lines are written: JSON where machines read them, as a rule in production."""
        return self.log_format or ("json" if self.environment == "production" else "text")

    @property
    def chat_configured(self) -> bool:
        """Whether a chat model can be called; without one answers are extractive."""
        return self.openrouter_api_key is not None or not self.at_openrouter

    @property
    def at_openrouter(self) -> bool:
        """Whether models are OpenRouter's own service, which takes more than OpenAI's protocol."""
        return self.openrouter_base_url == OPENROUTER


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def load_settings(**overrides: object) -> Settings:
    """Read the settings once, at a program's entry point.

    Raises BadSettings with one line for each variable that is wrong.
    """
    try:
        return Settings(**overrides)  # type: ignore[arg-type]  # pydantic checks them
    except ValidationError as error:
        raise BadSettings([_sentence(dict(detail)) for detail in error.errors()]) from None


def _sentence(detail: dict[str, object]) -> str:
    location = detail["loc"]
    message = str(detail["msg"]).removeprefix("Value error, ")
    name = ".".join(str(part) for part in location).upper() if isinstance(location, tuple) else ""
    return f"{name}: {message}" if name else message
