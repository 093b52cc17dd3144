"""How long something is waited for that may never end."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")


async def within(seconds: float, work: Coroutine[Any, Any, Result]) -> Result:
    """What `work` gives. Raises TimeoutError when that takes longer, and then does not even wait
    for it to end: a statement that is cancelled while Postgres is frozen does not."""
    task = asyncio.create_task(work)
    done, _ = await asyncio.wait({task}, timeout=seconds)
    if not done:
        task.cancel()
        task.add_done_callback(_ended_late)
        raise TimeoutError
    return task.result()


def _ended_late(task: asyncio.Task[Any]) -> None:
    """Take what it ended with: nobody wants it any more."""
    if not task.cancelled():
        task.exception()
