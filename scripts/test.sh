#!/bin/sh
# Every test: Python, the frontend's logic, the browser; ends with the counts.
set -u
cd "$(dirname "$0")/.."
export PATH="$PWD/.venv/bin:$PATH"
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
failed=0

.venv/bin/pytest --junitxml="$results/python.xml" "$@" || failed=1
npm --prefix frontend test || failed=1
scripts/chromium.sh && npm --prefix frontend run test:browser || failed=1

exit $failed
