"""One request to Supadata: let in by its gate, paid for, and tried again while that can help."""

import asyncio
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any

import httpx

from ingestion.provider import Busy, Errand, Gate, provider_down
from ingestion.supadata_answers import NAME
from ingestion.supadata_refusals import Refusal, about_service, json_of, out_of_credits
from talker.errors import LoadingFailed

TRIES = 3
"""Of one request, when the service stumbles, before the job itself waits."""
BUSY_ROUNDS, LONGEST_BUSY_S = 5, 120.0
"""How often, and how long, a call waits for the rate limit before its job does."""
LONGEST_WAIT_S = 30.0
POLL_S = 1.0
LONGEST_ANSWER_S = 180.0
"""Of one request in all: httpx's own time-outs begin anew with every byte that drips in."""

Explain = Callable[[Refusal], LoadingFailed]


class Calls:
    """`http` carries the base URL and the key; `wait_s` scales the waits between tries."""

    def __init__(self, http: httpx.AsyncClient, gate: Gate, wait_s: float) -> None:
        self._http = http
        self._gate = gate
        self._wait_s = wait_s

    async def get(
        self, path: str, params: Mapping[str, str], errand: Errand, explain: Explain
    ) -> httpx.Response:
        request = self._http.build_request("GET", path, params=params)
        return await self._ask(request, path, errand, explain)

    async def post(
        self,
        path: str,
        body: Mapping[str, Any],
        errand: Errand,
        explain: Explain,
        *,
        answers: Collection[int] = (),
    ) -> httpx.Response:
        """`answers` are statuses which the caller takes as an answer beside 2xx."""
        request = self._http.build_request("POST", path, json=body)
        return await self._ask(request, path, errand, explain, answers)

    async def poll(self, path: str, job_id: str, errand: Errand) -> httpx.Response | None:
        """How a job at Supadata stands: free, so not held up by the gate. None: it is lost."""
        stumbles, busy_s = 0, 0.0
        while True:
            try:
                response = await self._answer(self._http.build_request("GET", f"{path}/{job_id}"))
            except httpx.RequestError as error:
                failure = _unreachable(error)
            else:
                await _pay(response, path, errand)
                if response.is_success:
                    return response
                if response.status_code == httpx.codes.NOT_FOUND:
                    return None
                failure = about_service(Refusal.of(response))
            if failure.reason != "provider_down":
                raise failure
            delay_s = failure.retry_after_s or POLL_S * 2**stumbles
            if isinstance(failure, Busy):
                busy_s += delay_s
            else:
                stumbles += 1
            if stumbles == TRIES or busy_s > LONGEST_BUSY_S:
                raise failure
            await self.pause(delay_s)

    async def pause(self, delay_s: float) -> None:
        await asyncio.sleep(delay_s * self._wait_s)

    async def _ask(
        self,
        request: httpx.Request,
        path: str,
        errand: Errand,
        explain: Explain,
        answers: Collection[int] = (),
    ) -> httpx.Response:
        """Raises LoadingFailed, the gate's own among them."""
        stumbles = rounds = 0
        started = time.monotonic()
        while True:
            await self._gate.enter()
            try:
                response = await self._send(request)
            except (httpx.ReadTimeout, httpx.WriteTimeout):
                # A request that timed out is charged all the same: the job tries later, once.
                failure = provider_down("Supadata did not answer in time.")
                await self._gate.report(failure)
                raise failure from None
            except httpx.RequestError as error:
                failure = _unreachable(error)
            else:
                await _pay(response, path, errand)
                if response.is_success or response.status_code in answers:
                    await self._gate.report(None)
                    return response
                failure = await self._told_apart(Refusal.of(response), explain)
            await self._gate.report(failure)
            if failure.reason != "provider_down":
                raise failure
            if isinstance(failure, Busy):  # the gate makes this call wait, and everybody else's
                rounds += 1
                waited_s = time.monotonic() - started + (failure.retry_after_s or 0)
                if rounds == BUSY_ROUNDS or waited_s > LONGEST_BUSY_S:
                    raise failure
                continue
            stumbles += 1
            delay_s = failure.retry_after_s or 2.0 ** (stumbles - 1)
            if stumbles == TRIES or delay_s > LONGEST_WAIT_S:
                raise failure
            await self.pause(delay_s)

    async def _send(self, request: httpx.Request) -> httpx.Response:
        try:
            return await self._answer(request)
        except asyncio.CancelledError:
            await self._gate.leave()
            raise

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        try:
            async with asyncio.timeout(LONGEST_ANSWER_S):
                return await self._http.send(request)
        except TimeoutError as late:
            raise httpx.ReadTimeout("It took too long in all.", request=request) from late

    async def _told_apart(self, refusal: Refusal, explain: Explain) -> LoadingFailed:
        """What a refusal means; where its sentence leaves open which limit it was, asks.

        https://docs.supadata.ai/api-reference/endpoint/account/me, which costs nothing.
        """
        if not refusal.may_be_either_limit:
            return explain(refusal)
        try:
            account = json_of(await self._answer(self._http.build_request("GET", "/me")))
        except httpx.RequestError:
            return explain(refusal)
        used, most = account.get("usedCredits"), account.get("maxCredits")
        spent = isinstance(used, int | float) and isinstance(most, int | float) and used >= most
        return out_of_credits(refusal) if spent else explain(refusal)


async def _pay(response: httpx.Response, path: str, errand: Errand) -> None:
    spent = response.headers.get("x-billable-requests", "")
    if spent.isdigit() and int(spent):
        await errand.charge(NAME, path, int(spent))


def _unreachable(error: httpx.RequestError) -> LoadingFailed:
    return provider_down(f"Supadata cannot be reached ({type(error).__name__}).")
