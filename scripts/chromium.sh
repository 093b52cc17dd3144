#!/bin/sh
# Prints where a Chromium for the browser tests is: the one at hand, else Debian's package.
set -eu
for name in chromium chromium-browser google-chrome; do
    command -v "$name" && exit 0
done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    apt-get update -qq >&2
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >&2
    command -v chromium
    exit 0
fi
echo "The browser tests need Chromium: install your system's package for it." >&2
exit 1
