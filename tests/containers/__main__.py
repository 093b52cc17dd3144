"""`make containers`: the images and both stacks, for real. Needs a Docker engine, or makes one."""

import asyncio
import sys
import time

from tests.containers import development, production
from tests.containers.engine import NoEngine, docker
from tests.containers.images import Images
from tests.containers.say import say

TAG = "test"


def main() -> int:
    began = time.monotonic()
    try:
        with docker() as engine:
            images = Images(engine)
            images.make(TAG)
            images.tell(TAG)
            asyncio.run(production.drive(engine, TAG))
            asyncio.run(development.drive(engine))
    except NoEngine as error:
        sys.stderr.write(f"{error}\n")
        return 1
    say(f"Both stacks did the main job, in {time.monotonic() - began:.0f} s.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
