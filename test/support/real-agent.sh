#!/bin/bash
# Speaks as an agent of fence-agents 4.12.1 does (Debian 12: /usr/share/fence/fencing.py), seen with fence_dummy, fence_ipmilan and fence_redfish:
# - a line is stripped at both ends, lines with "#" in front are left out, the first "=" parts name from value, outer double quotes of a value go;
# - an unknown parameter is repeated whole on stderr, before the log has its format, and left out;
# - messages come with the date; all failures end with 1; "status" ends with 2 when it is off; "off" of what is off is done.
# Its device is the file `status_file`; `password` must be p=a#s; `dump` gets the password as it was received.
set -u
declare -A given=()
while IFS= read -r line || [ -n "$line" ]; do
  line="${line#"${line%%[![:space:]]*}"}"
  line="${line%"${line##*[![:space:]]}"}"
  case $line in '' | '#'*) continue ;; esac
  name=${line%%=*} value=
  [ "$name" = "$line" ] || value=${line#*=}
  if [[ $value =~ ^\"(.*)\"$ ]]; then value=${BASH_REMATCH[1]}; fi
  case ${name//-/_} in
    action | status_file | password | dump | verbose | delay) given[${name//-/_}]=$value ;;
    *) printf "WARNING:root:Parse error: Ignoring unknown option '%s'\n\n" "$line" >&2 ;;
  esac
done

fail() {
  printf '%s ERROR: %s\n\n' "$(date '+%F %T,000')" "$1" >&2
  exit 1
}

action=${given[action]:-reboot}
if [ "$action" = metadata ]; then
  printf '<?xml version="1.0" ?>\n<resource-agent name="fence_real" shortdesc="x" >\n<parameters>\n'
  for name in action status_file password dump verbose delay; do printf '\t<parameter name="%s" unique="0" required="0">\n\t</parameter>\n' $name; done
  printf '</parameters>\n<actions>\n\t<action name="on" automatic="0"/>\n\t<action name="off" />\n\t<action name="reboot" />\n\t<action name="status" />\n</actions>\n</resource-agent>\n'
  exit 0
fi
if [ -n "${given[dump]:-}" ]; then printf '%s\n' "${given[password]:-}" >"${given[dump]}"; fi
[ "${given[password]:-}" = 'p=a#s' ] || fail 'Unable to connect/login to fencing device'
power=$(cat "${given[status_file]}" 2>/dev/null) || power=off
case $action in
  status)
    echo "Status: ${power^^}"
    [ "$power" = on ] && exit 0
    exit 2
    ;;
  on | off)
    if [ "$power" = "$action" ]; then echo "Success: Already ${action^^}"; else
      printf %s "$action" >"${given[status_file]}" || fail 'Failed: Timed out waiting to power OFF'
      echo "Success: Powered ${action^^}"
    fi
    ;;
  *) fail "Failed: Unrecognised action '$action'" ;;
esac
