"""Where the app's processor time goes while it answers: a profile by package and by function.

Run as `python -m bench.hot_path`, with `--chats` at once. The app is `serve` as in use, but for
cProfile's own cost, about a half more; its event loop's thread alone is seen, not the embedding
model's. Shares tell, and times only beside others of the same run.
"""

import argparse
import asyncio
import pstats
import signal
import sys
import tempfile
from collections import Counter
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.answers import FIRST_TOKEN_MS, QUESTIONS, TOKEN_MS, asked
from bench.programs import app, model_service
from tests.make import conversation, until_ready

WARM_UP = 2
MOST = 30
Stats = dict[tuple[str, int, str], tuple[int, int, float, float, object]]

SERVE = """
import cProfile, signal, sys, time
from api.__main__ import main
profile = cProfile.Profile(time.thread_time)
signal.signal(signal.SIGUSR1, lambda *_: profile.enable())
signal.signal(signal.SIGUSR2, lambda *_: (profile.disable(), profile.dump_stats(sys.argv[1])))
main()
"""
"""`serve` that is profiled from one signal to the other."""


async def profiled(chats: int) -> Stats:
    """One round of questions at once, after two that are not looked at."""
    with tempfile.TemporaryDirectory(prefix="talker-bench-") as folder:
        stats = Path(folder) / "stats"
        command = (sys.executable, "-c", SERVE, str(stats))
        async with (
            model_service(FIRST_TOKEN_MS, TOKEN_MS) as url,
            app(
                Path(folder) / "data",
                command=command,
                OPENROUTER_BASE_URL=url,
                CHAT_MODELS="m",
                ROUTER_MODEL="m",
            ) as served,
        ):
            loaded = (await served.http.post("/api/videos/sample")).json()["items"][0]
            await until_ready(served.http, loaded["video_id"])
            for number in range(WARM_UP + 1):
                talks = [await conversation(served.http) for _ in range(chats)]
                if number == WARM_UP:
                    served.process.send_signal(signal.SIGUSR1)
                await asyncio.gather(
                    *(
                        asked(served.http, talk, QUESTIONS[n % len(QUESTIONS)])
                        for n, talk in enumerate(talks)
                    )
                )
            served.process.send_signal(signal.SIGUSR2)
            while not stats.exists() or not stats.stat().st_size:
                await asyncio.sleep(0.1)
        return pstats.Stats(str(stats)).stats  # type: ignore[attr-defined, no-any-return]  # typeshed lacks it


def show(stats: Stats, chats: int, console: Console) -> None:
    own_s = Counter({place: spent[2] for place, spent in stats.items()})
    packages: Counter[str] = Counter()
    for (file, _, _), seconds in own_s.items():
        packages[_package(file)] += seconds
    whole_s = packages.total()
    for title, counted in (
        ("by package", packages),
        ("by function", Counter({_named(place): seconds for place, seconds in own_s.items()})),
    ):
        table = Table("where", "ms a question", "share", title=title, title_justify="left")
        for name, seconds in counted.most_common(MOST):
            table.add_row(name, f"{seconds / chats * 1000:.1f}", f"{seconds / whole_s:.1%}")
        console.print(table)


def _named(place: tuple[str, int, str]) -> str:
    file, _, function = place
    return f"{_package(file)}/{Path(file).name} {function}"


def _package(file: str) -> str:
    """The package, or one of our own; C functions have no file."""
    parts = Path(file).parts
    if "site-packages" in parts:
        return parts[parts.index("site-packages") + 1]
    ours = Path(__file__).parents[1]
    if Path(file).is_relative_to(ours):
        return Path(file).relative_to(ours).parts[0]
    return "in C" if file == "~" else "Python's own library"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chats", type=int, default=10)
    chats = parser.parse_args().chats
    show(asyncio.run(profiled(chats)), chats, Console())


if __name__ == "__main__":
    main()
