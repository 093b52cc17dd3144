"""Schemathesis over the whole OpenAPI document: nothing that is sent is a fault of ours."""

import asyncio
from pathlib import Path

from talker.embedded import ServerUrls
from tests import make
from tests.fuzz import fuzz
from tests.people import accounts_app, bearer, make_key, member

EXAMPLES = 3
"""Of each operation, for each of the two that ask: some hundred in all."""


async def test_no_request_is_answered_with_a_fault_or_in_a_way_that_is_not_documented(
    embedded: ServerUrls, tmp_path: Path
) -> None:
    async with (
        accounts_app(embedded, tmp_path) as app,
        member(app, "known@example.org") as http,
    ):
        await make.upload(http, make.captions(make.OCEAN))
        key = bearer(await make_key(http))
        for headers in (key, {}):
            found = await asyncio.to_thread(fuzz, app.url, headers, examples=EXAMPLES)
            assert found.wrong == []
            assert found.requests > 100
            assert found.statuses[401] > 0 or headers
