"""The figures of this server, for Prometheus."""

from fastapi import APIRouter, Response
from fastapi.concurrency import run_in_threadpool
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from starlette.requests import Request

from api.dependencies import AppResources
from api.patience import within
from api.state_of_things import Things, read_things
from talker.database import DATABASE_AWAY, autocommit
from talker.exposition import Exposition, Families
from talker.resources import Resources

router = APIRouter(tags=["health"])

READ_TIMEOUT_S = 3.0
PLAIN = "text/plain; version=1.0.0; charset=utf-8"


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
async def metrics(request: Request, resources: AppResources) -> Response:
    """Prometheus's text format, for administrators and their keys. What stands in Postgres is
    read there; what processes count themselves has the label `process`."""
    exposition: Exposition = request.app.state.exposition
    families = [*await _from_rows(resources), *await run_in_threadpool(exposition.everybody)]
    return Response(await run_in_threadpool(Families(families).text), media_type=PLAIN)


async def _from_rows(resources: Resources) -> list[Metric]:
    """What the tables say; without them, that Postgres is away."""
    try:
        things = await within(READ_TIMEOUT_S, _things(resources))
    except (*DATABASE_AWAY, TimeoutError):
        return [_up(0)]
    return [_up(1), *_families(things)]


async def _things(resources: Resources) -> Things:
    async with autocommit(resources.sessions) as session:
        return await read_things(session)


def _up(value: int) -> Metric:
    return GaugeMetricFamily("talker_database_up", "Whether Postgres answers.", value=value)


def _families(things: Things) -> list[Metric]:
    return [
        _by("talker_jobs", "Jobs of the queue by status.", "status", things.jobs),
        _by(
            "talker_oldest_job_age_seconds",
            "How long the oldest job that is not over has been there, by status.",
            "status",
            things.oldest_s,
        ),
        _by(
            "talker_failed_jobs",
            "Jobs that have failed, by reason, as they stand now.",
            "reason",
            things.failures,
        ),
        _by("talker_videos", "Videos by status.", "status", things.videos),
        _by("talker_users", "Accounts by role.", "role", things.users),
        GaugeMetricFamily("talker_workers", "Workers that are alive.", value=things.workers),
        GaugeMetricFamily(
            "talker_database_bytes", "What the database takes.", value=things.database_bytes
        ),
    ]


def _by(name: str, what: str, label: str, values: dict[str, float] | dict[str, int]) -> Metric:
    family = GaugeMetricFamily(name, what, labels=[label])
    for value, count in values.items():
        family.add_metric([value], count)
    return family
