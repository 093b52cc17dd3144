"""Mail: the links that people ask for, through the SMTP server of the settings."""

import asyncio
import logging
import smtplib
import ssl
from datetime import datetime
from email.message import EmailMessage

from talker.settings import Settings

log = logging.getLogger(__name__)

TIMEOUT_S = 20

INVITED = """You are invited to YoutubeTalker. Make your account here:

{url}

The link works once, until {until:%d %B %Y, %H:%M} UTC.
"""
FORGOTTEN = """Somebody, most likely you, wants to set a new password for your account at
YoutubeTalker. Do it here:

{url}

The link works once, until {until:%d %B %Y, %H:%M} UTC. If it was not you, do nothing.
"""


class Mailer:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @property
    def configured(self) -> bool:
        return bool(self._settings.smtp_host)

    async def invite(self, to: str, url: str, until: datetime) -> bool:
        return await self._send(to, "Your invitation", INVITED.format(url=url, until=until))

    async def reset(self, to: str, url: str, until: datetime) -> bool:
        return await self._send(to, "A new password", FORGOTTEN.format(url=url, until=until))

    async def _send(self, to: str, subject: str, text: str) -> bool:
        """Whether the server took it; why it did not stands in the log."""
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = self._settings.mail_from, to, subject
        message.set_content(text)
        try:
            await asyncio.to_thread(self._deliver, message)
        except (OSError, smtplib.SMTPException) as error:
            log.warning("mail not sent", extra={"error": type(error).__name__})
            return False
        return True

    def _deliver(self, message: EmailMessage) -> None:
        settings = self._settings
        where = settings.smtp_host, settings.smtp_port
        context = ssl.create_default_context()
        with (
            smtplib.SMTP_SSL(*where, timeout=TIMEOUT_S, context=context)
            if settings.smtp_security == "tls"
            else smtplib.SMTP(*where, timeout=TIMEOUT_S)
        ) as server:
            if settings.smtp_security == "starttls":
                server.starttls(context=context)
            if settings.smtp_user and settings.smtp_password is not None:
                server.login(settings.smtp_user, settings.smtp_password.get_secret_value())
            server.send_message(message)
