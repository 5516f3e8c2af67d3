#!/bin/sh
# Install the Debian packages that a list names, those that are missing; ask nothing, start no service.
set -eu
list=$1
wanted=$(sed -e 's/#.*//' "$list")
missing=$(for name in $wanted; do
  dpkg-query --show --showformat='${db:Status-Status}\n' "$name" 2>/dev/null | grep -qx installed || echo "$name"
done)
[ -n "$missing" ] || exit 0
export DEBIAN_FRONTEND=noninteractive
apt-get update --quiet
# shellcheck disable=SC2086 -- one word a package
apt-get install --quiet --yes --no-install-recommends $missing
