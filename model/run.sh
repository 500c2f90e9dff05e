#!/usr/bin/env bash
# Checks the models of the hand-over and of the take-over (take-over-checks.sh) with spin: the good model holds every property in an exhaustive search of each configuration,
# every run ends, the model can do what it is about, and each broken variant breaks the property that it should.
# Prints one line per check, ends with "N passed, N failed". Needs spin and gcc; memory below 2 GB, about three minutes of CPU.
set -uo pipefail
cd "$(dirname "$0")" || exit 2
for tool in spin gcc; do
  command -v "$tool" >/dev/null || { echo "Cannot check the model: $tool is not installed, run: apt-get install spin gcc"; exit 2; }
done
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
passed=0
failed=0

declare -A property=(
  [ONE_RUNNER]="the guest never runs twice"
  [NEWEST_RAM]="nothing resumes RAM that is not the newest"
  [COMPLETE_STATE]="the target never starts without the complete state"
  [DROPPED_WHEN_OWNED]="the source gives up its copy only when the target's ownership is durable"
  [NEW_GENERATION]="no generation is issued twice"
  [NO_ALARM]="no rule for a broken invariant is ever needed, and no running copy is killed"
  [REST_ONE_RUNNER]="at rest nobody waits and exactly one node runs the guest, or its end is reported"
  [REST_OWNED]="at rest the runner's node owns the guest durably"
  [REST_NOTHING_LEFT]="at rest no copy, claim or promise is left over"
)
properties=(ONE_RUNNER NEWEST_RAM COMPLETE_STATE DROPPED_WHEN_OWNED NEW_GENERATION NO_ALARM REST_ONE_RUNNER REST_OWNED REST_NOTHING_LEFT)

report() { # report <ok|FAIL> <text>
  if [ "$1" = ok ]; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
  printf '%-4s %s\n' "$1" "$2"
}

model=handover

# build <folder> <compiler flags> <model flags…>: makes <folder>/pan of $model
build() {
  local folder=$1 flags=$2
  shift 2
  mkdir -p "$folder" && cp ./*.pml "$folder" || return 1
  # shellcheck disable=SC2086 # flags are words
  (cd "$folder" && spin -a "$@" "$model.pml" >spin.out 2>&1 && gcc -w $flags -DMEMLIM=1800 -o pan pan.c 2>gcc.out)
}

# search <folder> <pan flags…>: leaves the output of pan in <folder>/out
search() {
  local folder=$1
  shift
  (cd "$folder" && ./pan -m200000 "$@" >out 2>&1)
  return 0
}

states_of() { sed -n 's/^ *\([0-9.e+]*\) states, stored.*/\1/p' "$1/out" | awk '{printf "%d", $1}'; }

# A search counts only if it ended by itself, without a bound on depth or memory, and saw what a model of this size must have.
complete() { # complete <folder> <least number of states>
  local states
  states=$(states_of "$1")
  grep -q 'errors: ' "$1/out" && [ "${states:-0}" -ge "$2" ] &&
    ! grep -Eq 'max search depth too small|out of memory|reached -DMEMLIM|Search not completed|Bit statespace' "$1/out"
}

clean() { complete "$1" "$2" && grep -q 'errors: 0' "$1/out"; }

# good <name> <attempts> <faults> <least states>
good() {
  local folder=$scratch/$1
  build "$folder" '-O2 -DSAFETY' -DATTEMPTS="$2" -DFAULTS="$3" && search "$folder" -w25
}

# ends <name> <attempts> <faults>: a cycle would use up no fault and no attempt, so any cycle at all is a run that never ends
ends() {
  build "$scratch/$1" '-O2 -DNP' -DATTEMPTS="$2" -DFAULTS="$3" && search "$scratch/$1" -l -w24
}

(good one 1 4; ends ends-one 1 3) &
first=$!
(good two 2 3; ends ends-two 2 2) &
second=$!
wait "$first" "$second"

for run in "one|1 attempt, up to 4 faults|3000000" "two|2 attempts, up to 3 faults|4000000"; do
  IFS='|' read -r name words least <<<"$run"
  if clean "$scratch/$name" "$least"; then
    report ok "exhaustive search, $words: $(states_of "$scratch/$name") states, no violation"
  else
    report FAIL "exhaustive search, $words: $(grep -hE 'pan:1|errors:|Error|error' "$scratch/$name"/{out,spin.out,gcc.out} 2>/dev/null | head -3 | tr '\n' ' ')"
  fi
done
for run in "ends-one|1 attempt, up to 3 faults|2000000" "ends-two|2 attempts, up to 2 faults|1000000"; do
  IFS='|' read -r name words least <<<"$run"
  if clean "$scratch/$name" "$least"; then
    report ok "every run ends (no cycle; $words): $(states_of "$scratch/$name") states"
  else
    report FAIL "every run ends ($words): $(grep -hE 'pan:1|errors:' "$scratch/$name/out" | head -2 | tr '\n' ' ')"
  fi
done
bit=1
for name in "${properties[@]}"; do
  if clean "$scratch/one" 3000000 && clean "$scratch/two" 4000000; then
    report ok "property $name: ${property[$name]}"
  elif grep -hq "&$bit))" "$scratch/one/out" "$scratch/two/out" 2>/dev/null; then
    report FAIL "property $name: ${property[$name]}: violated"
  else
    report FAIL "property $name: ${property[$name]}: not decided, the search found something else first or did not end"
  fi
  bit=$((bit * 2))
done

# The model does what it is about: asserting that it never happens must fail.
reaches() { # reaches <what> <attempts> <faults>
  local folder=$scratch/reach-$1
  build "$folder" '-O0 -DSAFETY' -DATTEMPTS="$2" -DFAULTS="$3" -DREACH="$1" && search "$folder"
  if grep -q 'pan:1: assertion violated.*!=' "$folder/out"; then report ok "reached: $1 ($3 faults)"; else report FAIL "never reached: $1"; fi
}
reaches HANDED_OVER 1 0
reaches TOOK_BACK 1 1
reaches TOOK_BACK_AFTER_REVOKE 1 1
reaches WENT_AGAIN 1 1
reaches DISK_ON_SOURCE 1 1
reaches DISK_ON_TARGET 1 2
reaches YANKED_BOTH_LOADED 1 1
reaches SECOND_ATTEMPT_DONE 2 1

# A broken variant must break the property named, found by search, not by accident in another.
broken() { # broken <property> <attempts> <faults> <text> <variant flags…>
  local name=$1 attempts=$2 faults=$3 text=$4
  shift 4
  local folder=$scratch/broken-$name-$1
  build "$folder" '-O0 -DSAFETY' -DATTEMPTS="$attempts" -DFAULTS="$faults" -DPROPERTIES="$name" "$@" && search "$folder"
  if grep -q 'pan:1: assertion violated' "$folder/out"; then
    report ok "broken variant found wrong: $text ($name, depth $(sed -n 's/.*(at depth \([0-9]*\)).*/\1/p' "$folder/out" | head -1))"
  else
    report FAIL "broken variant not found wrong: $text ($name)"
  fi
}
broken ONE_RUNNER 1 1 "go before the source is completed" -DGO_BEFORE_COMPLETED
broken COMPLETE_STATE 1 1 "go before completed, target checks nothing" -DGO_BEFORE_COMPLETED -DTARGET_CHECKS_NOTHING
broken ONE_RUNNER 2 1 "completed taken from a sticky status" -DSTICKY_STATUS
broken ONE_RUNNER 1 1 "resume on the source before the target is revoked" -DRESUME_BEFORE_REVOKE
broken NEWEST_RAM 1 2 "record written after cont, without arming" -DRECORD_AFTER_CONT
broken ONE_RUNNER 1 1 "go without released first" -DRELEASED_SKIPPED
broken ONE_RUNNER 2 2 "generation used again after a roll-back" -DGENERATION_REUSED
broken NEW_GENERATION 1 1 "generation used again, seen where it is issued" -DGENERATION_REUSED
broken ONE_RUNNER 2 1 "cont of a killed worker still under way (no greeting awaited)" -DNO_GREETING
broken NEWEST_RAM 1 1 "armed of another boot treated as ran: no" -DOLD_BOOT_RAN_NO
broken ONE_RUNNER 1 1 "two attempts at once without claims" -DNO_CLAIMS
broken NEWEST_RAM 1 3 "a restarted worker believes records that it has not synced" -DNO_SYNC_AT_START
broken DROPPED_WHEN_OWNED 1 1 "the target tells of an owned that is not durable yet" -DUNSYNCED_ANSWERS
broken DROPPED_WHEN_OWNED 1 1 "source dropped before the target's record is durable" -DSOURCE_DROPPED_EARLY

# shellcheck source=SCRIPTDIR/take-over-checks.sh
. ./take-over-checks.sh

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
