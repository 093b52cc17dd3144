#!/usr/bin/env bash
# Brings a release of the backend up without a container engine: ends `serve`, and starts it with the
# settings in $RELEASES/TAG.env. For `deploy/deploy`, as UP.
set -euo pipefail
pid_file=$RELEASES/pid
if [[ -f $pid_file ]]; then
    pid=$(<"$pid_file")
    kill "$pid" 2>/dev/null || true
    while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
fi
set -a
# shellcheck disable=SC1090
source "$RELEASES/$1.env"
set +a
"$BIN/serve" >"$RELEASES/$1.log" 2>&1 &
echo $! >"$pid_file"
