#!/bin/bash
# PID 1 of one machine of the lab, started by lab/machine.ts inside fresh namespaces:
#   node-init.sh <role> <name> <folder of the machine>
# It mounts what the machine needs, says "ready" on descriptor 3, waits for "go" on descriptor 4 (the network is
# connected in between; a dead builder closes the pipe and ends a half-built machine), then keeps the machine's
# components running as an init system would. Orphans are reaped by bash itself. TERM stops everything.
# Environment: KEDGE_LAB_REPOSITORY, KEDGE_LAB_SHARED, KEDGE_LAB_TEMPORAL, KEDGE_LAB_POWER (with --fencing), KEDGE_LAB_NODE_COMMAND (tests), KEDGE_LAB_SABOTAGE (chaos).
set -u
role=$1
name=$2
folder=$3
repository=$KEDGE_LAB_REPOSITORY
supervisors=()

die() {
  echo "node-init $name: $1" >&2
  exit 1
}

# The host's file system stays as it is: its folders are covered by overlays whose changes live in a tmpfs,
# and that tmpfs becomes /run. Everything ends with the last process of the mount namespace.
mount_machine() {
  local stage=$folder/stage lower
  mount -n -t tmpfs -o mode=755 "lab-$name" "$stage" || die "cannot mount the stage"
  mkdir -p "$stage"/.lab/{repository,log,shared,disk,cgroup,upper,work} "$stage"/kedge/lab "$stage"/sshd "$stage"/lock
  mount -n --rbind "$repository" "$stage/.lab/repository" || die "cannot bind $repository"
  mount -n --bind "$folder/log" "$stage/.lab/log" || die "cannot bind the logs"
  mount -n --bind "$KEDGE_LAB_SHARED" "$stage/.lab/shared" || die "cannot bind the shared storage"
  mount -n --rbind /sys/fs/cgroup "$stage/.lab/cgroup" || die "cannot bind the cgroups"
  if [ "$role" = node ]; then
    # "loop" makes the kernel detach the device together with the mount, however the machine ends.
    mount -n -o loop,noatime "$folder/disk.img" "$stage/.lab/disk" || die "cannot mount $folder/disk.img"
  else
    mount -n --bind "$folder/disk" "$stage/.lab/disk" || die "cannot bind $folder/disk"
    mkdir -p "$stage/kedge/link"
    mount -n --bind "$folder/link" "$stage/kedge/link" || die "cannot bind $folder/link"
  fi
  if [ -n "${KEDGE_LAB_POWER:-}" ]; then
    mkdir -p "$stage/kedge/power"
    mount -n --bind "$KEDGE_LAB_POWER" "$stage/kedge/power" || die "cannot bind $KEDGE_LAB_POWER"
  fi
  mount -n --move "$stage" /run || die "cannot move the stage to /run"
  stage=/run/.lab
  for lower in etc var usr mnt; do
    mkdir -p "$stage/upper/$lower" "$stage/work/$lower"
    mount -n -t overlay "lab-$name" -o "lowerdir=/$lower,upperdir=$stage/upper/$lower,workdir=$stage/work/$lower" "/$lower" || die "cannot cover /$lower"
  done
  mount -n -t tmpfs -o mode=1777 "lab-$name" /tmp
  mount -n -t tmpfs -o mode=1777 "lab-$name" /dev/shm
  mount -n -t sysfs sysfs /sys && mount -n --rbind $stage/cgroup /sys/fs/cgroup || die "cannot mount /sys"
  case $repository in
    /etc/* | /var/* | /usr/* | /mnt/* | /run/* | /tmp/*)
      mkdir -p "$repository"
      mount -n --rbind $stage/repository "$repository" || die "cannot bind $repository again"
      ;;
  esac
  mkdir -p /etc/kedge /var/lib/kedge /var/log/kedge /mnt/shared /usr/lib/kedge/guest /usr/local/bin
  mount -n --bind $stage/disk/etc /etc/kedge || die "cannot bind /etc/kedge"
  mount -n --bind $stage/disk/state /var/lib/kedge || die "cannot bind /var/lib/kedge"
  mount -n --bind $stage/log /var/log/kedge || die "cannot bind /var/log/kedge"
  mount -n --bind $stage/shared /mnt/shared || die "cannot bind /mnt/shared"
  if [ -d $stage/repository/.cache/guest ]; then
    mount -n --bind $stage/repository/.cache/guest /usr/lib/kedge/guest || die "cannot bind the guest kernel"
  fi
  ln -sf "$repository/bin/kedge" /usr/local/bin/kedge
  if [ -d /run/kedge/power ]; then ln -sf "$repository/lab/reboot-lab.sh" /usr/local/sbin/reboot; fi
  # What unprivileged containers may have as their ids: PVE's range.
  echo 'root:100000:65536' | tee /etc/subuid >/etc/subgid
  hostname "$name"
  echo "$name" >/etc/hostname
  # A shell without start-up files: sshd runs forced commands through root's shell, inside blackouts too.
  sed -i 's#^root:.*#root:x:0:0:root:/root:/bin/sh#' /etc/passwd
  cat /proc/sys/kernel/random/uuid >/run/kedge/boot-id
}

# Runs one component for ever: supervise <component> command [argument...]
supervise() {
  local component=$1 child=0 code begun quick=0
  shift
  trap 'kill -TERM "$child" 2>/dev/null; wait "$child"; exit 0' TERM
  while :; do
    begun=$EPOCHREALTIME
    become "$component" "$@" </dev/null >>"$logs/$component.log" 2>&1 &
    child=$!
    echo "$child" >"$pids/$component.pid"
    echo "$begun start $component $child" >>"$logs/starts.log"
    wait "$child"
    code=$?
    echo "$EPOCHREALTIME exit $component $child $code" >>"$logs/starts.log"
    # At once after a long life, within 0.2 s after a short one; a component that can't start at all is asked once a second.
    if [ $((${EPOCHREALTIME/[.,]/} - ${begun/[.,]/})) -gt 1000000 ]; then
      quick=0
    else
      quick=$((quick + 1))
      if [ $quick -gt 5 ]; then sleep 1; else sleep 0.1; fi
    fi
  done
}

# Becomes the component; its clock is shifted while the lab says so.
become() {
  local component=$1 library
  shift
  if [ -r "$pids/$component.clock" ]; then
    for library in /usr/lib/*/faketime/libfaketimeMT.so.1; do
      export LD_PRELOAD=$library FAKETIME FAKETIME_ONLY_CMDS=node FAKETIME_DONT_FAKE_MONOTONIC=1 DONT_FAKE_MONOTONIC=1
      FAKETIME=$(cat "$pids/$component.clock")
    done
  fi
  exec "$@"
}

start() {
  supervise "$@" &
  supervisors+=($!)
}

stop_all() {
  kill -TERM "${supervisors[@]}" 2>/dev/null
  wait
  exit 0
}

start_components() {
  case $role in
    node)
      export KEDGE_CRASH_FOLDER=/run/kedge/crash
      mkdir -p $KEDGE_CRASH_FOLDER
      # The product is broken on purpose: `npm run chaos -- --sabotage ...`.
      if [ -n "${KEDGE_LAB_SABOTAGE:-}" ]; then export KEDGE_SABOTAGE=$KEDGE_LAB_SABOTAGE; fi
      start sshd /usr/sbin/sshd -D -e -f /etc/kedge/ssh/sshd_config
      # As docs/operating.md says for systemd: the option saves 20 MiB. The command of a test is words.
      # shellcheck disable=SC2086
      start worker ${KEDGE_LAB_NODE_COMMAND:-node --max-semi-space-size=2 "$repository/dist/src/cli/main.js" node run}
      ;;
    control)
      # All addresses of this namespace: the server binds every service to --ip, but its services call each other on 127.0.0.1.
      start temporal "$KEDGE_LAB_TEMPORAL" server start-dev --headless --ip 0.0.0.0 --port 7233 \
        --db-filename /var/lib/kedge/temporal.db --log-level warn \
        --sqlite-pragma journal_mode=WAL --sqlite-pragma synchronous=FULL \
        --dynamic-config-value history.transferProcessorMaxPollRPS=2000 \
        --dynamic-config-value history.timerProcessorMaxPollRPS=2000 \
        --dynamic-config-value history.timerProcessorMaxTimeShift='"20ms"' \
        --dynamic-config-value history.visibilityProcessorMaxPollRPS=2000 \
        --dynamic-config-value matching.numTaskqueueReadPartitions=1 \
        --dynamic-config-value matching.numTaskqueueWritePartitions=1
      start link socat UNIX-LISTEN:/run/kedge/link/temporal.sock,fork,unlink-early,mode=600 TCP:10.90.0.2:7233
      export KEDGE_CRASH_FOLDER=/run/kedge/crash
      mkdir -p $KEDGE_CRASH_FOLDER
      # shellcheck disable=SC2086
      start control ${KEDGE_LAB_CONTROL_COMMAND:-node "$repository/dist/src/cli/main.js" control}
      ;;
    client)
      if [ -x "$repository/.cache/guest/observer" ]; then
        start observer "$repository/.cache/guest/observer" --listen 10.90.2.1:7001 --socket "$folder/observer.sock" --state "$folder/observer.json"
      fi
      ;;
    relay)
      start relay socat "TCP-LISTEN:$KEDGE_LAB_PORT,bind=127.0.0.1,fork,reuseaddr" "UNIX-CONNECT:$folder/../control/link/temporal.sock,retry=50,interval=0.1"
      ;;
    switch) ;;
  esac
}

case $role in
  node | control)
    mount_machine
    logs=/var/log/kedge
    pids=/run/kedge/lab
    ;;
  *)
    logs=$folder/log
    pids=$folder/run
    ;;
esac
if [ "$role" != relay ]; then
  echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6 2>/dev/null
fi
trap stop_all TERM
echo ready >&3
exec 3>&-
read -r _ <&4 || die "the builder of the lab is gone"
exec 4<&-
start_components
# Never ends by itself: without components there is still the machine.
start_idle() { exec sleep infinity; }
start_idle &
supervisors+=($!)
while :; do wait; done
