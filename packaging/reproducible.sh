#!/usr/bin/env bash
# Makes the packages of this commit once more, in another place, as a builder with other habits, and wants the same
# bytes.
set -euo pipefail
cd "$(dirname "$0")/.."
if ! git diff --quiet HEAD; then
    echo "skipped: there are changes that are not committed, so this is no commit's package"
    exit
fi
elsewhere=$(mktemp -d)
trap 'rm -rf "$elsewhere"' EXIT
umask 077
export GOAMD64=v3 TZ=Asia/Kathmandu LC_ALL=C.UTF-8 GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=core.abbrev GIT_CONFIG_VALUE_0=20
git clone -q . "$elsewhere/catpaw"
make -C "$elsewhere/catpaw" package >/dev/null
diff dist/SHA256SUMS "$elsewhere/catpaw/dist/SHA256SUMS" && echo "the same commit makes the same bytes"
