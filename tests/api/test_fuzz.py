"""Whatever is sent to a route, its answer is one that the OpenAPI document names; `make bench-long`
has the long run of this."""

import asyncio
from pathlib import Path

from talker.embedded import ServerUrls
from tests import make
from tests.fuzz import fuzz
from tests.people import accounts_app, bearer, make_key, member


async def test_no_route_answers_otherwise_than_documented_whatever_is_sent(
    embedded: ServerUrls, tmp_path: Path
) -> None:
    unlimited = {"max_questions_per_minute": 0, "max_requests_per_minute": 0}
    async with (
        accounts_app(embedded, tmp_path, **unlimited) as app,
        member(app, "known@example.org") as http,
    ):
        await make.upload(http, make.captions(make.OCEAN))
        headers = bearer(await make_key(http))
        found = await asyncio.to_thread(fuzz, app.url, headers, examples=2)
    assert "\n".join(found.wrong) == ""
    assert found.requests > 100
