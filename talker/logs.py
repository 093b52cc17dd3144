"""Logs: one line an event, its fields behind it; no users' text, no secrets."""

import logging
import sys
from collections.abc import Mapping
from contextvars import ContextVar

from pythonjsonlogger.json import JsonFormatter

from talker.settings import LogFormat

STANDARD = set(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}
OUR_OWN = ("agent", "api", "ingestion", "talker")
NOISY = (
    "httpx",
    "httpcore",
    "httpx2",
    "httpcore2",
    "openai",
    "alembic",
    "procrastinate",
    "sqlalchemy",
    "talker.pools",
    "urllib3",
)
"""Libraries that tell every step at INFO; their warnings are shown."""

_about: ContextVar[Mapping[str, str]] = ContextVar("about", default={})  # noqa: B039 - never changed


def about(**ids: object) -> None:
    """Whom and what the work at hand is for: these ids are with each of its lines from now on,
    and with those of the tasks that it starts."""
    _about.set({**_about.get(), **{name: str(value) for name, value in ids.items()}})


def known_about() -> Mapping[str, str]:
    return _about.get()


class _WithIds(logging.Filter):
    """Adds the ids that `about` was told; what a line says itself stands."""

    def filter(self, record: logging.LogRecord) -> bool:
        for name, value in _about.get().items():
            record.__dict__.setdefault(name, value)
        return True


class FieldFormatter(logging.Formatter):
    """`time level logger event key=value …`, the keys being what was passed as `extra`."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        fields = [f"{key}={value}" for key, value in record.__dict__.items() if key not in STANDARD]
        return " ".join([super().formatMessage(record), *fields])


def json_formatter() -> JsonFormatter:
    """One JSON object a line: `time` (UTC), `level`, `logger`, `event`, then the fields."""
    return JsonFormatter(
        "%(levelname)s %(name)s %(message)s",
        rename_fields={
            "timestamp": "time",
            "levelname": "level",
            "name": "logger",
            "message": "event",
            "exc_info": "traceback",
        },
        timestamp=True,
        json_ensure_ascii=False,
    )


def start_logging(level: str, shape: LogFormat = "text") -> None:
    """Send the program's log to standard error; called once, at its entry.

    DEBUG is our own modules' alone: libraries tell there whatever passes through them, which is
    people's words.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(json_formatter() if shape == "json" else FieldFormatter())
    handler.addFilter(_WithIds())
    logging.basicConfig(level="INFO" if level == "DEBUG" else level, handlers=[handler], force=True)
    for name in OUR_OWN:
        logging.getLogger(name).setLevel(level)
    for name in NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)
