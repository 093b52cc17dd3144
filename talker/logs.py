"""Logs: one line an event, its fields behind it; no users' text, no secrets."""

import logging
import sys

STANDARD = set(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}
NOISY = ("httpx", "httpcore", "openai", "alembic", "procrastinate", "sqlalchemy", "urllib3")
"""Libraries that tell every step at INFO; their warnings are shown."""


class FieldFormatter(logging.Formatter):
    """`time level logger event key=value …`, the keys being what was passed as `extra`."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        fields = [f"{key}={value}" for key, value in record.__dict__.items() if key not in STANDARD]
        return " ".join([super().formatMessage(record), *fields])


def start_logging(level: str) -> None:
    """Send the program's log to standard error; called once, at its entry."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(FieldFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)
