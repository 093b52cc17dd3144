#!/bin/sh
# Writes the three locks anew: development, and within its versions `make run` and the servers alone.
set -eu
cd "$(dirname "$0")/.."
compile() {
    .venv/bin/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 \
        --no-header --no-annotate pyproject.toml "$@"
}
compile --upgrade --extra local --extra dev -o requirements-dev.lock
compile --extra local -c requirements-dev.lock -o requirements-local.lock
compile -c requirements-dev.lock -o requirements.lock
