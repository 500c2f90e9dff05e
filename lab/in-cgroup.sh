#!/bin/bash
# Joins control groups, then becomes the command: in-cgroup.sh <cgroup.procs file>... -- command [argument...]
set -eu
while [ "$1" != -- ]; do
  echo $$ >"$1"
  shift
done
shift
exec "$@"
