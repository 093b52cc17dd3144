"""What the router makes of what people type: by its rules alone, and with a real model.

The model is asked where OPENROUTER_BASE_URL or OPENROUTER_API_KEY names a service; the rules then
decide what they are sure of, as in the app.
"""

import os
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean, median
from typing import Any

from agent.models import ChatModels
from agent.plain import read
from agent.state import Passage
from bench.report import Row
from ingestion.batch import find_user
from talker.models import LOCAL_USER_EMAIL
from talker.resources import open_resources
from talker.settings import Settings
from tests.agent.utterances import (
    Utterance,
    fill_shelf,
    read_utterances,
    understand,
    wrong,
)

SECTION = "routing"
GOAL = "at least 0.95"
RULES, MODEL = "rules alone", "with a model"
MODEL_SETTINGS = ("OPENROUTER_BASE_URL", "OPENROUTER_API_KEY", "ROUTER_MODEL", "CHAT_MODELS")


async def run() -> list[Row]:
    utterances = read_utterances()
    read("Is it so?")  # the tables are compiled at the first reading
    with tempfile.TemporaryDirectory(prefix="talker-bench-") as folder:
        Path(folder).chmod(0o755)  # the embedded Postgres runs as somebody else when we are root
        rows = await _measured(utterances, Settings(_env_file=None, data_dir=Path(folder)), RULES)
        if os.environ.get("OPENROUTER_BASE_URL") or os.environ.get("OPENROUTER_API_KEY"):
            given: dict[str, Any] = {
                name.lower(): os.environ[name] for name in MODEL_SETTINGS if name in os.environ
            }
            settings = Settings(_env_file=None, data_dir=Path(folder), **given)
            rows += await _measured(utterances, settings, MODEL)
    return [*rows, *_first_questions(utterances)]


async def _measured(utterances: Sequence[Utterance], settings: Settings, how: str) -> list[Row]:
    async with open_resources(settings) as resources:
        user = await find_user(resources, LOCAL_USER_EMAIL)
        models = ChatModels(settings, resources.sessions)
        ids = await fill_shelf(resources, user)
        found: list[tuple[Utterance, list[str]]] = []
        times_ms: list[float] = []
        for one in utterances:
            began = time.perf_counter()
            understood = await understand(one, ids, resources, user, models, _find_nothing)
            times_ms.append((time.perf_counter() - began) * 1000)
            found.append((one, wrong(one, understood)))
        await models.aclose()
    held_out = [parts for one, parts in found if one.half == "held_out"]
    return [
        _row(f"intents, {how}", [parts for _, parts in found], GOAL),
        _row(f"intents, {how}, held out", held_out, GOAL),
        Row(SECTION, f"whole plans, {how}, held out", fmean(not parts for parts in held_out)),
        *_by("intent", how, found),
        *_by("language", how, found),
        Row(SECTION, f"a message's plan, {how}, median", median(times_ms), "ms"),
    ]


def _by(kind: str, how: str, found: Sequence[tuple[Utterance, list[str]]]) -> list[Row]:
    groups: defaultdict[str, list[list[str]]] = defaultdict(list)
    for one, parts in found:
        groups[getattr(one, kind)].append(parts)
    return [_row(f"intents, {how}, {name}", groups[name]) for name in sorted(groups)]


def _row(measure: str, found: Sequence[list[str]], goal: str = "") -> Row:
    return Row(SECTION, measure, fmean("intent" not in parts for parts in found), goal=goal)


def _first_questions(utterances: Sequence[Utterance]) -> list[Row]:
    firsts = [one for one in utterances if one.intent == "answer" and not one.before]
    asked = fmean(not read(one.text).sure for one in firsts)
    return [Row(SECTION, "first questions that need a model to route", asked, goal="at most 0.05")]


async def _find_nothing(*_: Any, **__: Any) -> list[Passage]:
    """The search beside the router model, which is not what is measured."""
    return []
