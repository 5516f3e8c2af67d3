#!/bin/sh
# Have what pages take from others in vendor/: by the npm that is there, else by Debian's.
set -eu
cd "$(dirname "$0")"
if ! command -v npm >/dev/null; then
  as_root=; [ "$(id -u)" = 0 ] || as_root=sudo
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get update --quiet
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get install --quiet --yes --no-install-recommends npm
fi
npm ci --no-progress --loglevel=error
node collect.mjs
