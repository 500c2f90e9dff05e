# The checks of take-over.pml; sourced by run.sh, which has the functions. A search starts with -E: processes of this model wait for faults that may never come.

property[NOT_OUTBID]="a taker's generation is beyond all that were issued"

# sized <name> <migrations> <recoveries> <power cuts> <kills> <flags…>: builds and searches
sized() {
  local folder=$scratch/take-over-$1 sizes="-DMIGRATIONS=$2 -DRECOVERIES=$3 -DPOWER_CUTS=$4 -DKILLS=$5"
  shift 5
  # shellcheck disable=SC2086 # sizes are words
  model=take-over build "$folder" '-O2 -DSAFETY -DCOLLAPSE' $sizes "$@" && search "$folder" -E -w24
}

# takes_over <name> <sizes…> <least states>
takes_over() {
  local folder=$scratch/take-over-$1
  sized "$1" "$2" "$3" "$4" "$5"
  if clean "$folder" "$6"; then
    report ok "take-over, exhaustive search, $2 migrations, $3 recoveries, $4 power cuts, $5 kills: $(states_of "$folder") states, no violation"
  else
    report FAIL "take-over, exhaustive search of $1: $(grep -hE 'pan:1|errors:|Error|error' "$folder"/{out,spin.out,gcc.out} 2>/dev/null | head -3 | tr '\n' ' ')"
  fi
}

# comes_to <what> <sizes…>: asserting that it never happens must fail
comes_to() {
  sized "reach-$1" "$2" "$3" "$4" "$5" -DREACH="$1"
  if grep -q 'pan:1: assertion violated' "$scratch/take-over-reach-$1/out"; then report ok "take-over reached: $1"; else report FAIL "take-over never reached: $1"; fi
}

# goes_wrong <property> <sizes…> <text> <variant>
goes_wrong() {
  local name=$1 text=$6
  sized "broken-$7" "$2" "$3" "$4" "$5" -DPROPERTIES="$name" "-D$7"
  if grep -q 'pan:1: assertion violated' "$scratch/take-over-broken-$7/out"; then
    report ok "broken variant found wrong: $text ($name)"
  else
    report FAIL "broken variant not found wrong: $text ($name)"
  fi
}

takes_over "two takers" 1 2 1 0 400000
takes_over "two migrations" 2 1 1 0 500000
takes_over "two losses" 1 1 2 0 200000
takes_over "a killed worker" 1 1 1 1 200000

comes_to TAKEN 1 1 1 0
comes_to TAKEN_FROM_TAKER 1 2 2 0
comes_to FOUND_ITSELF_VOID 1 1 1 0
comes_to TAKEN_AFTER_TAKE_BACK 1 1 1 0
comes_to TWO_TAKERS 1 2 1 0
comes_to MOVED_AFTER_TAKEN 1 1 1 0
comes_to REFUSED_BY_RETURN 1 1 1 0

goes_wrong ONE_RUNNER 1 1 1 0 "a node is taken for off without proof" NO_PROOF
goes_wrong ONE_RUNNER 1 1 1 0 "the lost node's record is not made void" NO_VOID
goes_wrong ONE_RUNNER 1 1 1 0 "it is made void whatever boot has registered" VOID_OF_ANY_BOOT
goes_wrong ONE_RUNNER 1 1 1 0 "a returning node does not apply what is void" VOID_NOT_APPLIED
goes_wrong ONE_RUNNER 1 2 1 0 "the other nodes are not asked" NOBODY_ASKED
goes_wrong ONE_RUNNER 1 2 1 0 "the later of two makers has the marker" NO_LINK
goes_wrong ONE_RUNNER 1 2 1 0 "a taker does not look at its marker again" MARKER_NOT_READ_AGAIN
goes_wrong ONE_RUNNER 1 2 1 0 "a taker does not look whether the lost node's marker is there still" LOST_MARKER_NOT_READ
goes_wrong ONE_RUNNER 1 2 1 0 "a guest is taken that a migration has" MIGRATIONS_IGNORED
goes_wrong NOT_OUTBID 2 1 1 0 "a claim leaves an old marker" CLAIM_LEAVES_NOTE
goes_wrong NOT_OUTBID 1 1 2 0 "a taker goes three beyond the marker" OUTBID=3
