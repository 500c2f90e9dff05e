#!/bin/bash
# A node's `reboot` in a lab with a power supply: its file systems are written, then the supply (lab/power-supply.ts) resets the machine.
set -u
sync
exec socat -t 60 - UNIX-CONNECT:/run/kedge/power/power.sock <<REQUEST
cycle $(hostname)
REQUEST
