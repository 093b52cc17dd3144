from pathlib import Path

import pytest
from dotenv import dotenv_values

from talker.errors import BadSettings
from talker.settings import Settings, load_settings

EXAMPLE = Path(__file__).parents[2] / ".env.example"


@pytest.mark.parametrize(
    "scheme", ["postgresql", "postgres", "postgresql+psycopg", "postgresql+asyncpg"]
)
def test_every_usual_form_of_database_url_is_the_same_database(scheme: str) -> None:
    settings = Settings(_env_file=None, database_url=f"{scheme}://u:p@db:5432/talk?sslmode=disable")
    assert settings.database_url == "postgresql://u:p@db:5432/talk?sslmode=disable"


def test_a_database_url_of_another_kind_is_refused_by_name() -> None:
    with pytest.raises(BadSettings, match="DATABASE_URL: must start with postgresql://"):
        load_settings(_env_file=None, database_url="mysql://u:p@db/talk")


def test_the_example_file_lists_every_setting_with_its_default() -> None:
    example = dotenv_values(EXAMPLE)
    assert {name.lower() for name in example} == set(Settings.model_fields)
    assert Settings(_env_file=EXAMPLE) == Settings(_env_file=None)


def test_lists_are_comma_separated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAT_MODELS", "a/one, b/two,")
    assert Settings(_env_file=None).chat_models == ("a/one", "b/two")


def test_keys_the_app_does_not_know_are_ignored_in_a_dotenv(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("POSTGRES_USER=talker\nPORT=8123\n")
    assert Settings(_env_file=dotenv).port == 8123


@pytest.mark.parametrize("base", ["https://api.example.org", "https://api.example.org/v1/"])
def test_supadatas_base_works_with_and_without_v1(base: str) -> None:
    settings = Settings(_env_file=None, supadata_base_url=base)
    assert settings.supadata_base_url == "https://api.example.org/v1"


def test_no_login_means_no_address_but_loopback() -> None:
    with pytest.raises(BadSettings, match="AUTH=local has no login"):
        load_settings(_env_file=None, host="0.0.0.0")


@pytest.mark.parametrize("secret", [None, "change-me"])
def test_production_refuses_a_missing_or_example_secret(secret: str | None) -> None:
    with pytest.raises(BadSettings, match="SECRET_KEY must be set"):
        load_settings(_env_file=None, environment="production", secret_key=secret)


def test_accounts_need_a_secret_and_mail_the_address_that_its_links_lead_to() -> None:
    with pytest.raises(BadSettings, match="SECRET_KEY must be set"):
        load_settings(_env_file=None, auth="accounts")
    accounts = {"auth": "accounts", "secret_key": "of my own", "host": "0.0.0.0"}
    assert load_settings(_env_file=None, **accounts).registration == "open"
    with pytest.raises(BadSettings, match="SMTP_HOST needs PUBLIC_URL"):
        load_settings(_env_file=None, **accounts, smtp_host="mail.example.org")


def test_a_chat_model_is_configured_by_a_key_or_by_another_server() -> None:
    assert not Settings(_env_file=None).chat_configured
    assert Settings(_env_file=None, openrouter_api_key="k").chat_configured
    assert Settings(_env_file=None, openrouter_base_url="http://127.0.0.1:1/v1").chat_configured


def test_secrets_do_not_show_when_settings_are_printed() -> None:
    settings = Settings(_env_file=None, openrouter_api_key="sk-or-very-secret")
    assert "very-secret" not in repr(settings)
