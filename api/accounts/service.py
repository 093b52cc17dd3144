"""What AUTH=accounts opens once: how tokens are hashed, passwords checked, mails sent."""

import hmac
from dataclasses import dataclass
from datetime import timedelta

from starlette.requests import HTTPConnection

from api.accounts.attempts import Limit
from api.accounts.errors import AccountsOff
from api.accounts.mail import Mailer
from api.accounts.passwords import Passwords
from api.accounts.tokens import Tokens
from talker.settings import Settings

QUARTER, HOUR, DAY = timedelta(minutes=15), timedelta(hours=1), timedelta(days=1)

DEVICE_COOKIE = "talker_device"


@dataclass(frozen=True)
class Accounts:
    settings: Settings
    tokens: Tokens
    passwords: Passwords
    mailer: Mailer
    failed_logins: Limit
    failed_logins_of: Limit
    failed_logins_from: Limit
    registrations_from: Limit
    reset_mails: Limit
    reset_mails_from: Limit

    def device(self, email: str) -> str:
        """What a browser keeps that somebody logged in with once; see knows_device."""
        return self.tokens.hash(f"device {email}")

    def knows_device(self, connection: HTTPConnection, email: str) -> bool:
        """Whether somebody logged in to that account from this browser before.

        The account-wide limit of failed logins is not for them: strangers who use it up, from
        however many addresses, do not lock the owner out of their own browser.
        """
        sent = connection.cookies.get(DEVICE_COOKIE, "")
        return hmac.compare_digest(sent.encode(), self.device(email).encode())

    def base(self, connection: HTTPConnection) -> str:
        """The address that links lead to: ours as it is set, else as the asker knows it."""
        return self.settings.public_url or str(connection.base_url).rstrip("/")


def open_accounts(settings: Settings) -> Accounts:
    """Raises BadSettings without a SECRET_KEY."""
    return Accounts(
        settings=settings,
        tokens=Tokens(settings),
        passwords=Passwords(),
        mailer=Mailer(settings),
        failed_logins=Limit("login", settings.max_failed_logins, QUARTER),
        failed_logins_of=Limit("login of", settings.max_failed_logins_per_account, DAY),
        failed_logins_from=Limit("login from", settings.max_failed_logins_per_address, QUARTER),
        registrations_from=Limit("register", settings.max_registrations_per_address, HOUR),
        reset_mails=Limit("reset", settings.max_reset_mails, HOUR),
        reset_mails_from=Limit("reset from", settings.max_failed_logins_per_address, HOUR),
    )


def accounts_of(connection: HTTPConnection) -> Accounts:
    """Raises AccountsOff in AUTH=local."""
    accounts: Accounts | None = connection.app.state.accounts
    if accounts is None:
        raise AccountsOff
    return accounts
