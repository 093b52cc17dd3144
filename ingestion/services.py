"""The transcript services as this process uses them: each behind the gate that all share."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from ingestion.gate import ServiceGate
from ingestion.provider import TranscriptProvider
from ingestion.transcripts import open_providers
from talker.resources import Resources


@asynccontextmanager
async def open_services(resources: Resources) -> AsyncIterator[Sequence[TranscriptProvider]]:
    """The services of TRANSCRIPT_PROVIDERS in order; one without its key is passed over."""
    settings = resources.settings
    rates = {"supadata": settings.supadata_rate, "youtube": settings.youtube_rate}

    def gate(service: str) -> ServiceGate:
        return ServiceGate(resources.sessions, service, rates[service])

    async with open_providers(settings, gate) as providers:
        yield providers
