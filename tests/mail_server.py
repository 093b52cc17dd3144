"""A mail server that keeps what it is sent."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage


@dataclass
class MailServer:
    port: int = 0
    inbox: asyncio.Queue[EmailMessage] = field(default_factory=asyncio.Queue)

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 tests\r\n")
        while line := (await reader.readline()).strip().upper():
            if line == b"DATA":
                writer.write(b"354 go on\r\n")
                content = (await reader.readuntil(b"\r\n.\r\n"))[:-3]
                message = message_from_bytes(content, policy=policy.default)
                assert isinstance(message, EmailMessage)
                self.inbox.put_nowait(message)
            writer.write(b"221 bye\r\n" if line == b"QUIT" else b"250 tests\r\n")
            if line == b"QUIT":
                break
        writer.close()


@asynccontextmanager
async def mail_server() -> AsyncIterator[MailServer]:
    server = MailServer()
    listening = await asyncio.start_server(server.converse, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    async with listening:
        yield server
