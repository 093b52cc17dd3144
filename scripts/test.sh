#!/bin/sh
# Every test: Python, the frontend's logic, the browser; ends with the counts of all three.
set -u
cd "$(dirname "$0")/.."
export PATH="$PWD/.venv/bin:$PATH"
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
failed=0

# Two at once: much of a test is waiting for programs to start. Each process has its own servers.
pytest -n 2 --dist worksteal --junitxml="$results/python.xml" "$@" || failed=1
npm --prefix frontend test -- --reporter=default --reporter=junit \
    --outputFile.junit="$results/frontend.xml" || failed=1
CHROMIUM=$(scripts/chromium.sh) && PLAYWRIGHT_JUNIT_OUTPUT_FILE="$results/browser.xml" \
    CHROMIUM="$CHROMIUM" npm --prefix frontend run test:browser -- --reporter=list,junit || failed=1

python scripts/counts.py "$results"/*.xml || failed=1
exit $failed
