#!/bin/bash
# A fence agent of the lab, by the convention of fence-agents: parameters a line on standard input, exit code 0 for done (or "on"),
# 2 for the status "off", 1 for a failure. It asks the lab's power supply (lab/power-supply.ts), which is outside of all machines.
#   action=off|status   plug=<node>   socket=<of the power supply>
set -u
action=reboot plug='' socket=''
while IFS='=' read -r name value; do
  case $name in
    action) action=$value ;;
    plug | port) plug=$value ;;
    socket) socket=$value ;;
  esac
done
answer=$(printf '%s %s\n' "$action" "$plug" | socat -t 60 - "UNIX-CONNECT:$socket") || exit 1
case $answer in
  done | on) exit 0 ;;
  off) exit 2 ;;
  *)
    echo "${answer:-the power supply gives no answer}" >&2
    exit 1
    ;;
esac
