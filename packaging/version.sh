#!/bin/sh
# Prints the version of what is checked out. To dpkg and rpm, a later commit's is newer:
#
#	1.0.0-dev.20241216103000     before the first release, with the time of the commit; older than 1.0.0
#	1.0.0                        the tag v1.0.0
#	1.0.0+3.g9f5b07a6c1de        three commits after it; older than 1.0.1
#	1.0.0+3.g9f5b07a6c1de.dirty  with changes that are not committed
#
# The same commit gives the same version everywhere: the builder's time zone, core.abbrev and log.showSignature do not
# count.
set -eu
cd "$(dirname "$0")/.."
version=$(git describe --tags --match 'v[0-9]*' --dirty --abbrev=12 2>/dev/null |
	sed -E 's/^v//; s/-([0-9]+)-(g[0-9a-f]+)(-dirty)?$/+\1.\2\3/; s/(\+.*)-dirty$/\1.dirty/; s/-dirty$/+dirty/')
if [ -z "$version" ]; then
	at=$(TZ=UTC git log -1 --no-show-signature --format=%cd --date=format-local:%Y%m%d%H%M%S 2>/dev/null || echo 0)
	version=1.0.0-dev.$at
fi
echo "$version"
