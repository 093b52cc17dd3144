"""`python -m talker.migrations` brings every table up to date, before anything serves.

Every program does this as it starts. On its own it is for a deployment, which so finds out that a
migration fails while the release before still serves. Exit code 2 for wrong settings, 1 for a
database that does not answer.
"""

import asyncio
import sys

from talker.database import migrate
from talker.embedded import servers
from talker.errors import BadSettings, TalkerError
from talker.settings import Settings, load_settings


async def _migrate(settings: Settings) -> None:
    async with servers(settings) as urls:
        await migrate(urls.database_url)


def main() -> int:
    try:
        asyncio.run(_migrate(load_settings()))
    except BadSettings as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except TalkerError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write("The database is up to date.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
