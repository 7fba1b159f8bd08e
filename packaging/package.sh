#!/usr/bin/env bash
# Makes the packages of the commit that is checked out, in dist/: deb and rpm for Linux, archives for all systems, and
# their checksums. The same commit and the same Go make the same bytes. Called by make package, which sets VERSION and
# LDFLAGS.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${VERSION:?}" "${LDFLAGS:?}"
GO=${GO:-go}
export CGO_ENABLED=0 GOAMD64=v1 GOARM64=v8.0 TZ=UTC LC_ALL=C # whatever the builder has set
SOURCE_DATE_EPOCH=$(git log -1 --no-show-signature --format=%ct)
export SOURCE_DATE_EPOCH VERSION
umask 022
stage=dist/stage
rm -rf dist && mkdir -p $stage/{completion,man}

build() { GOOS=$1 GOARCH=$2 $GO build -trimpath -buildvcs=false -ldflags "$LDFLAGS" -o "$3" ./cmd/catpaw; }

# archive OS ARCH FORMAT BINARY
archive() {
    local dir=$stage/catpaw-$VERSION-$1-$2
    mkdir "$dir"
    build "$1" "$2" "$dir/$4"
    cp -r $stage/conf.d $stage/THIRD_PARTY_LICENSES LICENSE CHANGELOG.md README*.md docs "$dir"
    [ "$1" = windows ] || cp -r $stage/completion $stage/man "$dir"
    $stage/archive "dist/catpaw-$VERSION-$1-$2.$3" "$dir"
}

licenses() {
    for os in linux darwin windows; do
        GOOS=$os $GO list -deps -f '{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}} {{.Dir}}{{end}}{{end}}' ./cmd/catpaw
    done | sort -u | while read -r path version dir; do
        printf '\n==== %s %s\n\n' "$path" "$version"
        cat "$dir"/LICENSE* "$dir"/COPYING* "$dir"/NOTICE* 2>/dev/null || test -f "$dir"/LICENSE* || test -f "$dir"/COPYING*
    done
}

# What all packages share. The configuration is written by catpaw itself.
$GO -C packaging build -o "$PWD/$stage/archive" ./archive
$GO build -o $stage/catpaw ./cmd/catpaw
$stage/catpaw init $stage/conf.d >/dev/null
chmod -R u=rwX,go=rX $stage/conf.d
$stage/catpaw completion bash >$stage/completion/catpaw.bash
$stage/catpaw completion zsh >$stage/completion/_catpaw
$stage/catpaw completion fish >$stage/completion/catpaw.fish
CATPAW_MAN=$PWD/$stage/man $GO test -count=1 -run '^TestManPages$' ./cmd/catpaw >/dev/null
gzip -9n $stage/man/*
licenses >$stage/THIRD_PARTY_LICENSES

archive linux amd64 tar.gz catpaw
archive linux arm64 tar.gz catpaw
archive darwin amd64 tar.gz catpaw
archive darwin arm64 tar.gz catpaw
archive windows amd64 zip catpaw.exe

nfpm=$($GO -C packaging tool -n nfpm)
for arch in amd64 arm64; do
    cp "$stage/catpaw-$VERSION-linux-$arch/catpaw" $stage/catpaw
    for kind in deb rpm; do
        GOARCH=$arch "$nfpm" package --config packaging/nfpm.yaml --packager $kind --target dist/ >/dev/null
    done
done
rm -r $stage
cd dist && sha256sum -- * >SHA256SUMS && cat SHA256SUMS
