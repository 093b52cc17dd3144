"""The OpenAPI document, from which the frontend's types are made: `python -m api.openapi FILE`.

With `--check` it says whether the file is in step, and exits with 1 where it is not.
"""

import argparse
import json
import sys
from pathlib import Path

from api.app import create_app
from talker.settings import Settings


def document() -> str:
    app = create_app(Settings(_env_file=None))
    return json.dumps(app.openapi(), indent=1, ensure_ascii=False) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    if not options.check:
        options.file.write_text(document(), encoding="utf-8")
    elif options.file.read_text(encoding="utf-8") != document():
        sys.exit(f"{options.file} is not in step with the API: run `make types`.")


if __name__ == "__main__":
    main()
