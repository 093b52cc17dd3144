"""Schemathesis against a running app: every route, with what fits its schema and what does not."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Err
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
ENDLESS = "/api/jobs/stream"
TIMEOUT_S = 60
SEED = 20261128


@dataclass
class Fuzzed:
    """How many requests there were, how they were answered, and what was wrong: a sentence each."""

    requests: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


def fuzz(url: str, headers: Mapping[str, str], *, examples: int) -> Fuzzed:
    """So many examples of each operation in the OpenAPI document, always the same ones."""
    document = requests.get(f"{url}/api/openapi.json", timeout=TIMEOUT_S).json()
    schema = schemathesis.openapi.from_dict(document)
    schema.config.update(base_url=url)
    found = Fuzzed()
    with requests.Session() as session:
        for result in schema.exclude(path=ENDLESS).get_all_operations():
            if isinstance(result, Err):
                found.wrong.append(f"the document: {result.err()}")
                continue
            _fuzz(result.ok(), session, headers, examples, found)
    return found


def _fuzz(
    operation: Any,
    session: requests.Session,
    headers: Mapping[str, str],
    examples: int,
    found: Fuzzed,
) -> None:
    wrong: dict[str, None] = {}

    @seed(SEED)
    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def ask(case: Any) -> None:
        found.requests += 1
        try:
            answer = case.call(session=session, headers=dict(headers), timeout=TIMEOUT_S)
        except requests.RequestException as error:
            wrong[f"{operation.label}: {type(error).__name__}"] = None
            return
        found.statuses[answer.status_code] += 1
        try:
            case.validate_response(answer, checks=CHECKS)
        except FailureGroup as group:
            for failure in group.exceptions:
                sentence = f"{operation.label}: {answer.status_code} {failure}"
                wrong[" ".join(sentence.split())[:600]] = None

    try:
        ask()
    except Unsatisfiable:
        wrong[f"{operation.label}: nothing could be made that fits its schema"] = None
    found.wrong += wrong
