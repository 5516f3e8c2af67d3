#!/bin/sh
# Install an appliance from the one-file program: beside this script, named by a path, or fetched and checked.
#
#   install.sh [OPTION …]                           the program zstack-appliance in this script's folder
#   install.sh --program PATH [OPTION …]            another one
#   install.sh --url URL --sha256 HEX [OPTION …]    fetched, and refused unless it is the one that is meant
#
# Every other OPTION goes to `zstack-appliance install`; --dry-run says what would be done and changes nothing.
set -eu

say() { printf '%s\n' "install.sh: $*" >&2; }
die() { say "$*"; exit 1; }
needs() { [ $# -ge 2 ] || die "$1 needs a value; see the head of this script"; }

program='' url='' sha256='' count=$#
while [ "$count" -gt 0 ]; do
  case $1 in
    --program) needs "$@"; program=$2; shift 2; count=$((count - 2)) ;;
    --url) needs "$@"; url=$2; shift 2; count=$((count - 2)) ;;
    --sha256) needs "$@"; sha256=$2; shift 2; count=$((count - 2)) ;;
    *) option=$1; shift; set -- "$@" "$option"; count=$((count - 1)) ;;
  esac
done

fetched=''
trap '[ -z "$fetched" ] || rm -rf "$fetched"' EXIT
trap 'exit 130' INT TERM HUP

if [ -n "$url" ]; then
  [ -n "$sha256" ] || die "--url needs --sha256, or nobody knows what is run here as root"
  fetched=$(mktemp -d)
  program=$fetched/zstack-appliance
  say "fetching $url"
  if command -v curl >/dev/null; then
    curl --fail --location --silent --show-error --output "$program" "$url" || die "it could not be fetched"
  elif command -v wget >/dev/null; then
    wget --quiet --output-document="$program" "$url" || die "it could not be fetched"
  else
    die "neither curl nor wget is here: apt-get install curl, or fetch it elsewhere and give --program"
  fi
fi

[ -n "$program" ] || program=$(dirname -- "$0")/zstack-appliance
[ -f "$program" ] || die "there is no $program; give --program PATH, or --url URL --sha256 HEX"
if [ -n "$sha256" ]; then
  printf '%s  %s\n' "$sha256" "$program" | sha256sum --check --status || die "$program is not the file of this sha256"
fi
[ -x "$program" ] || chmod +x -- "$program" || die "$program cannot be run; copy it to where it can"

if [ "$(id -u)" -eq 0 ]; then
  "$program" install "$@"
elif command -v sudo >/dev/null; then
  sudo -- "$program" install "$@"
else
  die "you are not root, and there is no sudo: run this as root"
fi
