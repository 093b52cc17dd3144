#!/bin/sh
# Every test: Python, the frontend's logic, the browser; ends with the counts of all three.
set -u
cd "$(dirname "$0")/.."
export PATH="$PWD/.venv/bin:$PATH"
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
trap 'trap - TERM; kill 0' INT TERM # the pages' tests too: what runs beside does not hear Ctrl-C
failed=0

pages() {
    pages_failed=0
    npm --prefix frontend test -- --reporter=default --reporter=junit \
        --outputFile.junit="$results/frontend.xml" || pages_failed=1
    CHROMIUM=$(scripts/chromium.sh) && PLAYWRIGHT_JUNIT_OUTPUT_FILE="$results/browser.xml" \
        CHROMIUM="$CHROMIUM" npm --prefix frontend run test:browser -- --reporter=list,junit ||
        pages_failed=1
    return $pages_failed
}

# Side by side, since much of a test is waiting, for a page or for a program that starts.
pages >"$results/pages.log" 2>&1 &
pages=$!
# Two at once. Each process has its own servers.
pytest -n 2 --dist worksteal --junitxml="$results/python.xml" "$@" || failed=1
wait $pages || failed=1
cat "$results/pages.log"

python scripts/counts.py "$results"/*.xml || failed=1
exit $failed
