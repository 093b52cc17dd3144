"""Large loads and faults at any size: the journeys check them, `make bench-long` measures them."""

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from talker.settings import Settings
from tests.batches import (
    LINE_MS,
    LOADED,
    OVER_TIMEOUT_S,
    POLL_S,
    Hands,
    differences,
    post,
    queue,
    talks,
    until,
)
from tests.make import OCEAN
from tests.programs import (
    Onlooker,
    Programs,
    Seen,
    SupadataProcess,
    kill,
    outside,
)
from tests.supadata_server import SupadataList, SupadataVideo, refused

CHANNEL_ID = "@everything"
CHANNEL = f"https://www.youtube.com/{CHANNEL_ID}"
NETWORK_S = 0.25
"""For so long after a refusal calls may still come that were under way, or about to be."""
CUT_OFF = "SELECT id, attempt FROM ingestion_jobs WHERE status = 'running'"


_SILENT = [(0, LINE_MS, "[Music]")]
_ENDLESS = [(0, LINE_MS, OCEAN[0]), (13 * 3_600_000, LINE_MS, OCEAN[1])]

FAULTY = {
    "no_captions": SupadataVideo({}),
    "no_speech": SupadataVideo({"en": _SILENT}),
    "private": SupadataVideo(fault=refused(403, "This is a private video")),
    "removed": SupadataVideo(fault=refused(404, "The requested item could not be found")),
    "age_restricted": SupadataVideo(fault=refused(403, "This video is age restricted")),
    "members_only": SupadataVideo(fault=refused(403, "This video is for members only")),
    "live": SupadataVideo(fault=refused(403, "This live stream has not ended")),
    "upcoming": SupadataVideo(fault=refused(403, "The premiere will begin shortly")),
    "too_long": SupadataVideo({"en": _ENDLESS}, duration_s=13 * 3600),
    "quota": SupadataVideo(fault=refused(402, "Your plan does not cover this video")),
}
"""Ten ways in which a video cannot be loaded, by their reasons."""
HEALED_BY_TIME = {"live", "upcoming", "quota"}


@dataclass(frozen=True)
class Ingested:
    """One run of `ingest`: its exit code, what it said, what Supadata was asked for meanwhile."""

    code: int
    ready: int
    failed: int
    reasons: Mapping[str, int]
    asked: Mapping[str, int]
    paths: Mapping[str, int]
    credits: int
    seconds: float

    @property
    def calls(self) -> int:
        return sum(self.paths.values())


async def ingest(programs: Programs, supadata: SupadataProcess, *arguments: str) -> Ingested:
    before, began = await supadata.seen(), time.perf_counter()
    code, out = await programs.ingest(*arguments, "--json")
    seconds, after = time.perf_counter() - began, await supadata.seen()
    events = [json.loads(line) for line in out.splitlines()]
    failures = {
        event["video_id"]: event["failure"]["reason"]
        for event in events
        if event.get("status") == "failed"
    }
    return Ingested(
        code=code,
        ready=events[-1]["ready"],
        failed=events[-1]["failed"],
        reasons=Counter(failures.values()),
        asked=Counter(after.asked) - Counter(before.asked),
        paths=Counter(after.counts) - Counter(before.counts),
        credits=after.billed - before.billed,
        seconds=seconds,
    )


@dataclass(frozen=True)
class ChannelRun:
    """`faulty` has the reason of each video that cannot be loaded, by its id."""

    faulty: Mapping[str, str]
    first: Ingested
    again: Ingested
    retried: Ingested


async def load_channel(data_dir: Path, count: int, of_each: int) -> ChannelRun:
    """Load a channel of `count` videos, of which `of_each` fail in each way; again; and retry."""
    videos = talks(count)
    names = sorted(videos)
    faulty = {
        names[(number * len(FAULTY) + place) * count // (len(FAULTY) * of_each)]: reason
        for number in range(of_each)
        for place, reason in enumerate(FAULTY)
    }
    videos |= {name: FAULTY[reason] for name, reason in faulty.items()}
    async with outside() as services:
        supadata = services.supadata
        await supadata.stock(videos, {CHANNEL_ID: SupadataList("Everything", names)})
        async with Programs(services.settings(data_dir)) as programs:
            first = await ingest(programs, supadata, "add", CHANNEL)
            again = await ingest(programs, supadata, "add", CHANNEL)
            retried = await ingest(programs, supadata, "retry", "--failed")
    return ChannelRun(faulty, first, again, retried)


@dataclass(frozen=True)
class KilledRun:
    """`under_way` is how many tries of jobs were cut off by the kills."""

    ready: int
    wrong: Sequence[str]
    kills: int
    under_way: int
    more_transcripts: int
    more_metadata: int
    seconds: float


async def load_killed(data_dir: Path, count: int, kills: int, *, seed: int) -> KilledRun:
    """Load a batch with a worker that is killed again and again, at random moments."""
    chance = random.Random(seed)
    moments = sorted(chance.sample(range(1, count - count // 10), kills))
    videos, onlooker = talks(count), Onlooker(data_dir)
    under_way: set[tuple[Any, ...]] = set()
    async with outside(supadata_ms=100) as services:
        supadata = services.supadata
        await supadata.stock(videos, plan_has_batches=False)
        await queue(data_dir, list(videos))
        began = time.perf_counter()
        async with Programs(services.settings(data_dir)) as programs:
            for moment in moments:
                worker = await programs.worker()
                await until(onlooker, moment)
                await asyncio.sleep(chance.uniform(0, 0.5))
                await kill(worker)
                under_way |= set(await onlooker.rows(CUT_OFF))
            await programs.worker()
            await until(onlooker, count)
            seconds = time.perf_counter() - began
            wrong = await differences(onlooker, videos)
            ready = await onlooker.count("videos", LOADED)
        seen = await supadata.seen()
    return KilledRun(
        ready=ready,
        wrong=wrong,
        kills=kills,
        under_way=len(under_way),
        more_transcripts=seen.transcripts - count,
        more_metadata=seen.counts["/v1/metadata"] - count,
        seconds=seconds,
    )


@dataclass(frozen=True)
class BusyRun:
    """`early` are calls that came in a pause which Supadata had asked for: on a slow machine up to
    `hands`, which were under way as it began."""

    ready: int
    wrong: Sequence[str]
    refused: int
    pauses: int
    early: int
    hands: int
    seconds: float


async def load_busy(data_dir: Path, count: int, *, limit_s: float, retry_after_s: int) -> BusyRun:
    """Load a batch with two workers, while Supadata takes no calls for a while in its midst: for
    `limit_s`, and until a pause was followed by another."""
    videos, onlooker = talks(count), Onlooker(data_dir)
    async with outside(supadata_ms=100) as services:
        supadata = services.supadata
        await supadata.stock(videos, plan_has_batches=False)
        await queue(data_dir, list(videos))
        began = time.perf_counter()
        async with Programs(services.settings(data_dir)) as programs:
            await programs.worker()
            await programs.worker()
            await until(onlooker, count // 6)
            await supadata.limit(OVER_TIMEOUT_S, retry_after_s)
            await asyncio.sleep(limit_s)
            async with asyncio.timeout(OVER_TIMEOUT_S):
                while len(_pauses(await supadata.seen())) < 2:
                    await asyncio.sleep(POLL_S)
            await supadata.limit(0, 0)
            await until(onlooker, count)
            seconds = time.perf_counter() - began
            wrong = await differences(onlooker, videos)
            ready = await onlooker.count("videos", LOADED)
        seen = await supadata.seen()
    pauses = _pauses(seen)
    return BusyRun(
        ready=ready,
        wrong=wrong,
        refused=len(seen.limited_at),
        pauses=len(pauses),
        early=sum(_is_in(pauses, at) for at in seen.arrived_at),
        hands=2 * Settings.model_fields["worker_concurrency"].default,
        seconds=seconds,
    )


def _pauses(seen: Seen) -> list[tuple[float, float]]:
    """From when to when nothing may come: refusals at nearly one moment are one pause."""
    pauses: list[tuple[float, float]] = []
    for at, wait_s in seen.limited_at:
        if not pauses or at > pauses[-1][1] - NETWORK_S:
            pauses.append((at + NETWORK_S, at + wait_s))
    return pauses


def _is_in(pauses: Sequence[tuple[float, float]], at: float) -> bool:
    return any(start < at < end for start, end in pauses)


@dataclass
class ThreeRun:
    """`done` is how many jobs each program was seen at; `went_on` how many videos the others
    loaded between the kill of one and its next start."""

    ready: int = 0
    wrong: Sequence[str] = ()
    done: dict[str, int] = field(default_factory=dict)
    went_on: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0


STARTER, OTHER, APP = "the worker that started the servers", "the other worker", "the app"


async def load_with_three(data_dir: Path, count: int) -> ThreeRun:
    """Load a batch with two workers and the app, each of which is killed once in its midst."""
    videos, onlooker, run = talks(count), Onlooker(data_dir), ThreeRun()
    async with outside(supadata_ms=300) as services:
        supadata = services.supadata
        await supadata.stock(videos, plan_has_batches=False)
        async with Programs(services.settings(data_dir)) as programs:
            starter = await programs.worker()
            hands = Hands(onlooker)
            await hands.started(STARTER)
            other = await programs.worker()
            await hands.started(OTHER)
            app, url = await programs.app()
            await hands.started(APP)
            async with hands.watched():
                began = time.perf_counter()
                await post(url, list(videos))
                for share, (name, process) in enumerate(
                    ((STARTER, starter), (OTHER, other), (APP, app)), start=1
                ):
                    await until(onlooker, count * share // 5)
                    before = await onlooker.count("videos", LOADED)
                    await kill(process)
                    await until(onlooker, before + count // 10)
                    run.went_on[name] = await onlooker.count("videos", LOADED) - before
                    await programs.worker()
                await until(onlooker, count)
            run.seconds = time.perf_counter() - began
            run.done = hands.done
            run.wrong = await differences(onlooker, videos)
            run.ready = await onlooker.count("videos", LOADED)
    return run
