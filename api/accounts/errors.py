"""What can be wrong with who asks, and with accounts."""

import math
from uuid import UUID

from talker.errors import (
    BadRequest,
    Conflict,
    NotAllowed,
    NotFound,
    TalkerError,
    TooManyRequests,
    in_words,
)


class NotLoggedIn(TalkerError):
    def __init__(self) -> None:
        super().__init__(
            "You are not logged in, or no longer. Log in, or send an API key that is not expired "
            "as `Authorization: Bearer …`."
        )


class WrongCredentials(NotLoggedIn):
    def __init__(self) -> None:
        TalkerError.__init__(self, "Email and password do not fit together. Try again.")


class TooManyAttempts(TooManyRequests):
    def __init__(self, retry_after_s: float) -> None:
        self.retry_after_s = max(1, math.ceil(retry_after_s))
        TalkerError.__init__(
            self, f"That was tried too often. Try again in {in_words(self.retry_after_s)}."
        )


class AdminsOnly(NotAllowed):
    def __init__(self) -> None:
        super().__init__("Only administrators may do this.")


class ReadOnlyKey(NotAllowed):
    def __init__(self) -> None:
        super().__init__("This API key may only read. Make a key with the scope `full` for this.")


class NotWithKey(NotAllowed):
    def __init__(self) -> None:
        super().__init__("An API key may not do this. Log in with your password.")


class WrongPassword(NotAllowed):
    def __init__(self) -> None:
        super().__init__("That is not your password now. Nothing was changed.")


class RegistrationClosed(NotAllowed):
    def __init__(self) -> None:
        super().__init__("Nobody can register here. Ask the administrator for an account.")


class InvitationNeeded(NotAllowed):
    def __init__(self) -> None:
        super().__init__("Registering needs an invitation. Ask the administrator for one.")


class LinkUsedUp(BadRequest):
    def __init__(self) -> None:
        super().__init__("This link was used already, or is too old. Ask for a new one.")


class NotYourInvitation(BadRequest):
    def __init__(self) -> None:
        super().__init__("This invitation is for another email address.")


class BadEmail(BadRequest):
    def __init__(self, email: str) -> None:
        super().__init__(f"{email!r} is no email address.")


class BadPassword(BadRequest):
    def __init__(self, min_chars: int) -> None:
        super().__init__(f"A password has at least {min_chars} characters.")


class EmailTaken(Conflict):
    def __init__(self, email: str) -> None:
        super().__init__(f"There is an account for {email} already. Log in, or reset its password.")


class LastAdmin(Conflict):
    def __init__(self) -> None:
        super().__init__("This is the last administrator. Make somebody else one first.")


class AccountsOff(Conflict):
    def __init__(self) -> None:
        super().__init__("There are no accounts here: AUTH=local is for one person, who is in.")


class TooManyKeys(Conflict):
    def __init__(self, most: int) -> None:
        super().__init__(f"You have {most} API keys, and no more are kept. Revoke one first.")


class KeyNotFound(NotFound):
    def __init__(self, key_id: UUID) -> None:
        super().__init__(f"You have no API key {key_id}.")


class LoginNotFound(NotFound):
    def __init__(self, login_id: UUID) -> None:
        super().__init__(f"You have no session {login_id}.")


class InvitationNotFound(NotFound):
    def __init__(self, link_id: UUID) -> None:
        super().__init__(f"There is no invitation {link_id}, or it was used.")


class AccountNotFound(NotFound):
    def __init__(self, user_id: UUID) -> None:
        super().__init__(f"There is no account {user_id}.")
