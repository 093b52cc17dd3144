#!/bin/sh
# Installs what a lock names, and this project, into .venv; makes .venv and fetches uv where missing.
set -eu
cd "$(dirname "$0")/.."
lock=$1

usable() { [ -x .venv/bin/python ] && .venv/bin/python -c 'import sys; sys.exit(sys.version_info < (3, 11))'; }

if command -v uv >/dev/null 2>&1; then
    uv=uv
    usable || uv venv --quiet --clear --python '>=3.11' .venv
else
    usable || python3 -m venv --clear .venv
    usable || { echo "Python 3.11 or newer is needed, or uv, which brings its own." >&2; exit 1; }
    [ -x .venv/bin/uv ] || .venv/bin/python -m pip install --quiet --disable-pip-version-check uv
    uv=.venv/bin/uv
fi
# Compiled now: where Python may write no bytecode, every start of a program would compile for seconds.
"$uv" pip install --quiet --compile-bytecode --python .venv/bin/python --require-hashes -r "$lock"
"$uv" pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation -e .
