#!/usr/bin/env bash
# Makes the packages of this commit once more, in another place, and wants the same bytes.
set -euo pipefail
cd "$(dirname "$0")/.."
if ! git diff --quiet HEAD; then
    echo "skipped: there are changes that are not committed, so this is no commit's package"
    exit
fi
elsewhere=$(mktemp -d)
trap 'rm -rf "$elsewhere"' EXIT
git clone -q . "$elsewhere/catpaw"
make -C "$elsewhere/catpaw" package >/dev/null
diff dist/SHA256SUMS "$elsewhere/catpaw/dist/SHA256SUMS" && echo "the same commit makes the same bytes"
