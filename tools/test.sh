#!/usr/bin/env bash
# All tests on a fresh clone or an old one: sets up what is missing, then runs every suite (or those named by --only).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
bash tools/setup.sh
exec node tools/run-tests.mjs "$@"
