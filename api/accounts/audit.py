"""What administrators do is written down, in the transaction that does it."""

from typing import Any, Literal

from sqlalchemy.ext.asyncio import AsyncSession

from talker.models import AuditEvent

Action = Literal[
    "create_admin",
    "invite",
    "revoke_invitation",
    "reset_link",
    "change_user",
    "delete_user",
    "set_quotas",
    "retry_job",
    "cancel_job",
]

COMMAND_LINE = "command line"


def record(session: AsyncSession, actor: str, action: Action, subject: str, **detail: Any) -> None:
    session.add(AuditEvent(actor=actor, action=action, subject=subject, detail=detail))
