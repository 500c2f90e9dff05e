/*
 * A guest of a node that failed is taken over by another: docs/protocol.md, section 8, with what lies beside the disks, migrations before, after and
 * meanwhile (reduced to their durable steps: handover.pml has the rest), nodes that lose their power and come back, workers that are killed.
 *
 * Three nodes and one guest on a shared storage. A step is one durable write or one look; anything may happen between two of them. What a
 * process knows ends with its worker, what a node runs with its power. Records, markers and the entities' decisions are durable.
 *
 * Compile-time: MIGRATIONS, RECOVERIES, POWER_CUTS, KILLS: at most so many of each. PROPERTIES: only the one named is asserted (default all).
 * REACH: asserts that what is named never happens. Broken variants are named where they branch.
 */
#ifndef MIGRATIONS
#define MIGRATIONS 2
#endif
#ifndef RECOVERIES
#define RECOVERIES 2
#endif
#ifndef POWER_CUTS
#define POWER_CUTS 2
#endif
#ifndef KILLS
#define KILLS 1
#endif

#define ONE_RUNNER 1
#define NEW_GENERATION 2
#define NO_ALARM 4
#define NOT_OUTBID 8
#ifndef PROPERTIES
#define PROPERTIES 15
#endif
#define HOLDS(property, condition) assert(!(PROPERTIES & property) || (condition))

#define TAKEN 1
#define TAKEN_FROM_TAKER 2
#define FOUND_ITSELF_VOID 3
#define TAKEN_AFTER_TAKE_BACK 4
#define TWO_TAKERS 5
#define MOVED_AFTER_TAKEN 6
#define REFUSED_BY_RETURN 7
#ifndef REACH
#define REACH 0
#endif
#define REACHED(what) assert(REACH != what)

#define N 3
#define NOBODY 3
#define MOST 20
/* How far a taker goes beyond the newest marker: takeOverGeneration. OUTBID: the broken variants. */
#ifndef OUTBID
#define OUTBID 4
#endif

mtype = { none, owned, incoming, armed, releasing, released, revoked };

/* Durable, on each node: its record of the guest. `here`: it is of this boot. */
mtype state[N];
byte generation[N];
bool claimed[N], here[N];
/* A process of the guest, allowed to run it. */
bool runs[N];

/* A node has power; its boots and workers are counted, so that what began in an earlier one ends. */
bool power[N];
byte boot[N], life[N];
/* This life of the worker has registered; what it then heard is void; it has applied that and may act. */
bool told[N], ready[N];
byte heard[N];

/* Durable, in the node's entity (Temporal): the boot that registered last, below what its record is void. */
byte entityBoot[N], voidBelow[N];

/* Beside the disks: who made the marker of each generation. */
byte marker[MOST];
byte newest;

/* Ghosts: who was given each generation, and the newest that was. */
byte issuedTo[MOST];
byte furthest;

bool migrating;
bool locked[N];
byte cuts = POWER_CUTS, kills = KILLS;
bool takenOnce, tookBack;
byte takers;

#define RUNNERS (runs[0] + runs[1] + runs[2])
#define IS_ALIVE(n) (power[n] && ready[n])

inline start(n) {
  runs[n] = true;
  HOLDS(ONE_RUNNER, RUNNERS <= 1);
}

inline issue(g, n) {
  HOLDS(NEW_GENERATION, issuedTo[g] == NOBODY || issuedTo[g] == n);
  issuedTo[g] = n;
  if :: furthest < g -> furthest = g :: else fi;
}

/* To be called in one step: the newest generation that has a marker, 0 without any. */
inline findNewest() {
  newest = MOST - 1;
  do
  :: newest > 0 && marker[newest] == NOBODY -> newest--
  :: else -> break
  od;
}

/* A link to a synced file: of two makers one wins. NO_LINK: the last one does. */
inline mark(g, n) {
#ifdef NO_LINK
  marker[g] = n;
#else
  if :: marker[g] == NOBODY -> marker[g] = n :: else fi;
#endif
  findNewest();
}

inline dropOlder(g) {
  byte older = g;
  do
  :: older > 0 -> older--; marker[older] = NOBODY
  :: else -> break
  od;
}

/* Everything that runs on a node: what it does by itself, and what is done to it. */
proctype Node(byte n) {
  do
  :: atomic { power[n] && cuts > 0 -> cuts--; power[n] = false; runs[n] = false; here[n] = false; told[n] = false; ready[n] = false; locked[n] = false; life[n]++ }
  :: atomic { !power[n] -> power[n] = true; boot[n]++ }
  :: atomic { power[n] && kills > 0 -> kills--; told[n] = false; ready[n] = false; locked[n] = false; life[n]++ }
  /* It registers; the answer is what is void. */
  :: atomic { power[n] && !told[n] -> entityBoot[n] = boot[n]; heard[n] = voidBelow[n]; told[n] = true }
  /* applyVoided: before anything of an earlier boot may start. */
  :: atomic { power[n] && told[n] && !ready[n] && !locked[n] ->
      if
#ifndef VOID_NOT_APPLIED
      :: state[n] != none && state[n] != revoked && generation[n] < heard[n] -> state[n] = revoked; claimed[n] = false; runs[n] = false; REACHED(FOUND_ITSELF_VOID)
#endif
      :: else
      fi;
      ready[n] = true }
  /* confirmBoot. Its second witness, the storage, may give no answer, which forbids nothing: it is not counted on here. */
  :: atomic { IS_ALIVE(n) && state[n] == owned && !claimed[n] && !here[n] && !locked[n] -> here[n] = true }
  :: atomic { IS_ALIVE(n) && state[n] == owned && !claimed[n] && here[n] && !runs[n] && !locked[n] -> start(n) }
  /* keepNote: the marker, then older ones go. */
  :: atomic { IS_ALIVE(n) && state[n] == owned && !claimed[n] && here[n] && !locked[n] && marker[generation[n]] != n ->
      findNewest();
      HOLDS(NO_ALARM, newest <= generation[n]);
      /* One of this very generation is of a taker that was refused right after it had made it, and died before it could remove it. */
      if :: marker[generation[n]] == NOBODY -> mark(generation[n], n) :: else fi }
  :: atomic { IS_ALIVE(n) && state[n] == owned && !claimed[n] && here[n] && !locked[n] && marker[generation[n]] == n ->
      dropOlder(generation[n]) }
  od
}

/* A node that is off stays off for what was begun in it. */
#define SAME(n, l) (power[n] && life[n] == l)

/*
 * The migrations of the guest, one after the other (the workflow id is the lock). Each may stop for good at any line (it is terminated), and what it has
 * left is nobody's then. Proof that a node is off, and its record void, are as in a recovery.
 */
proctype Migrations() {
  byte s, t, g, l, left = MIGRATIONS, seenBoot;
  do
  :: left > 0 ->
    left--;
    atomic { select(s : 0 .. 2); select(t : 0 .. 2); s != t -> migrating = true }
    /* The claim: the marker first, or none is left (a storage that is full). */
    atomic {
      if
      :: IS_ALIVE(s) && state[s] == owned && here[s] && !claimed[s] && !locked[s] -> locked[s] = true; g = generation[s]; l = life[s]
      :: true -> goto done
      fi }
#ifndef CLAIM_LEAVES_NOTE
    atomic {
      if
      :: SAME(s, l) ->
        findNewest();
        if
        :: newest > g -> locked[s] = false; goto done
        :: else ->
          if
          :: marker[g] == NOBODY || marker[g] == s -> mark(g, s)
          :: true -> dropOlder(MOST)
          fi
        fi
      :: !SAME(s, l) -> goto done
      fi }
#endif
    atomic {
      if
      :: SAME(s, l) -> claimed[s] = true; locked[s] = false
      :: !SAME(s, l) -> goto done
      fi }
    /* The target. */
    atomic {
      if
      :: IS_ALIVE(t) && !locked[t] && (state[t] == none || state[t] == revoked || state[t] == released) && generation[t] < g + 1 ->
        state[t] = incoming; generation[t] = g + 1; claimed[t] = true; here[t] = true; issue(g + 1, t)
      :: true -> goto back
      fi }
    atomic {
      if
      :: IS_ALIVE(t) && state[t] == incoming && generation[t] == g + 1 && here[t] -> state[t] = armed
      :: true -> goto back
      fi }
    atomic {
      if
      :: IS_ALIVE(s) && state[s] == owned && claimed[s] && generation[s] == g -> state[s] = releasing; runs[s] = false
      :: true -> goto back
      fi }
    atomic {
      if
      :: IS_ALIVE(s) && state[s] == releasing && generation[s] == g -> state[s] = released; claimed[s] = false
      :: true -> goto back
      fi }
    atomic {
      if
      :: IS_ALIVE(t) && state[t] == armed && generation[t] == g + 1 && here[t] ->
        state[t] = owned; claimed[t] = false; start(t);
        if :: takenOnce -> REACHED(MOVED_AFTER_TAKEN) :: else fi;
        goto done
      :: true -> goto lost
      fi }
back:
    /* The target is revoked first; then the source has the guest under g+2. */
    atomic {
      if
      :: IS_ALIVE(t) && (generation[t] < g + 1 || state[t] == revoked || state[t] == incoming || state[t] == armed) ->
        if :: generation[t] == g + 1 -> state[t] = revoked; claimed[t] = false; here[t] = true; runs[t] = false :: else fi
      :: true -> goto lost
      fi }
    atomic {
      if
      :: IS_ALIVE(s) && (state[s] == owned || state[s] == releasing) && claimed[s] && generation[s] == g ->
        state[s] = owned; generation[s] = g + 2; claimed[s] = false; here[s] = true; issue(g + 2, s);
        tookBack = true;
        if :: runs[s] :: else -> start(s) fi
      :: true
      fi;
      goto done }
lost:
    /* One of the two is lost for good: the other has the guest under g+3, section 7. */
    if
    :: atomic { !power[t] -> seenBoot = entityBoot[t] };
      atomic { if :: entityBoot[t] == seenBoot -> if :: voidBelow[t] < g + 3 -> voidBelow[t] = g + 3 :: else fi :: else -> goto done fi };
      atomic {
        if
        :: IS_ALIVE(s) && !locked[s] && generation[s] == g && (claimed[s] || state[s] == released) ->
          state[s] = owned; generation[s] = g + 3; claimed[s] = false; here[s] = true; issue(g + 3, s);
          tookBack = true;
          if :: runs[s] :: else -> start(s) fi
        :: true
        fi }
    :: atomic { !power[s] -> seenBoot = entityBoot[s] };
      atomic { if :: entityBoot[s] == seenBoot -> if :: voidBelow[s] < g + 3 -> voidBelow[s] = g + 3 :: else fi :: else -> goto done fi };
      atomic {
        if
        :: IS_ALIVE(t) && !locked[t] && generation[t] == g + 1 && state[t] == armed && here[t] ->
          state[t] = owned; generation[t] = g + 3; claimed[t] = false; issue(g + 3, t); start(t)
        :: true
        fi }
    :: true
    fi;
done:
    atomic { migrating = false; s = 0; t = 0; g = 0; l = 0; seenBoot = 0 }
  :: true -> break
  od
}

/* Does the answer of node k stand in the way? whyNotTaken, with the marker of generation m. */
#define STANDS(k, m) (runs[k] || (state[k] != none && (generation[k] >= m + OUTBID || !(state[k] == revoked || (state[k] == released && generation[k] < m)))))

/* One recovery: proof, the decision, and one node that tries to take the guest. */
proctype Recovery() {
  byte lost, m, to, l, k, seenBoot;
  atomic { findNewest(); newest > 0 && marker[newest] != NOBODY -> lost = marker[newest] }
#ifdef NO_PROOF
  seenBoot = entityBoot[lost];
#else
  atomic { !power[lost] -> seenBoot = entityBoot[lost] }
#endif
  /* Its guests, as the storage names them now, and none that a migration has. */
  atomic { findNewest(); if :: newest > 0 && marker[newest] == lost -> m = newest :: else -> goto ended fi }
#ifndef MIGRATIONS_IGNORED
  atomic { if :: migrating -> goto ended :: else fi }
#endif
#ifndef NO_VOID
  atomic {
    if
#ifndef VOID_OF_ANY_BOOT
    :: entityBoot[lost] != seenBoot -> REACHED(REFUSED_BY_RETURN); goto ended
#endif
    :: else -> if :: voidBelow[lost] < m + OUTBID -> voidBelow[lost] = m + OUTBID :: else fi
    fi }
#endif
  atomic {
    select(to : 0 .. 2);
    if
    :: to != lost && IS_ALIVE(to) && !locked[to] -> locked[to] = true; l = life[to]
    :: else -> goto ended
    fi }
  /* Its own record, then the others, one after the other. */
  atomic { if :: !SAME(to, l) -> goto ended :: STANDS(to, m) && SAME(to, l) -> goto refused :: else fi }
#ifndef NOBODY_ASKED
  k = 0;
  do
  :: k == N -> break
  :: k < N && k == to -> k++
  :: atomic { k < N && k != to ->
      if
      :: !SAME(to, l) -> goto ended
      /* It is off; or it is back and cut off, which nobody can tell. */
      :: SAME(to, l) && k == lost
      :: SAME(to, l) && !power[k] && k != lost -> goto refused
      :: SAME(to, l) && power[k] && STANDS(k, m) -> goto refused
      :: SAME(to, l) && power[k] && !STANDS(k, m)
      fi;
      k++ }
  od;
#endif
  /* As seen, or by an attempt of this node that ended here. */
  atomic {
    findNewest();
    if
    :: !SAME(to, l) -> goto ended
    :: SAME(to, l) && ((newest == m && marker[m] == lost) || (newest == m + OUTBID && marker[newest] == to))
    :: SAME(to, l) && !((newest == m && marker[m] == lost) || (newest == m + OUTBID && marker[newest] == to)) -> goto refused
    fi }
  atomic {
    if
    :: !SAME(to, l) -> goto ended
    :: SAME(to, l) ->
      takers++;
      if :: takers == 2 -> REACHED(TWO_TAKERS) :: else fi;
      mark(m + OUTBID, to)
    fi }
  atomic {
    findNewest();
    if
    :: !SAME(to, l) -> goto ended
#ifdef MARKER_NOT_READ_AGAIN
#define IN_FORCE(m) true
#else
#ifdef LOST_MARKER_NOT_READ
#define IN_FORCE(m) (marker[m + OUTBID] == to && newest == m + OUTBID)
#else
#define IN_FORCE(m) (marker[m + OUTBID] == to && newest == m + OUTBID && marker[m] == lost)
#endif
#endif
    :: SAME(to, l) && IN_FORCE(m)
    :: SAME(to, l) && !IN_FORCE(m) ->
      /* What it has made is nobody's. */
      if :: marker[m + OUTBID] == to && newest == m + OUTBID -> marker[m + OUTBID] = NOBODY :: true fi;
      goto refused
    fi }
  atomic {
    if
    :: !SAME(to, l) -> goto ended
    :: SAME(to, l) ->
      HOLDS(NOT_OUTBID, furthest < m + OUTBID || issuedTo[m + OUTBID] == to);
      issue(m + OUTBID, to);
      state[to] = owned; generation[to] = m + OUTBID; claimed[to] = false; here[to] = true;
      REACHED(TAKEN);
      if :: takenOnce -> REACHED(TAKEN_FROM_TAKER) :: else fi;
      if :: tookBack -> REACHED(TAKEN_AFTER_TAKE_BACK) :: else fi;
      takenOnce = true
    fi }
refused:
  atomic { if :: SAME(to, l) -> locked[to] = false :: else fi }
ended:
  skip
}

init {
  atomic {
    byte each = 0;
    do
    :: each < N -> power[each] = true; told[each] = true; ready[each] = true; state[each] = none; each++
    :: each == N -> break
    od;
    each = 0;
    do
    :: each < MOST -> marker[each] = NOBODY; issuedTo[each] = NOBODY; each++
    :: each == MOST -> break
    od;
    state[0] = owned; generation[0] = 1; here[0] = true; runs[0] = true; issuedTo[1] = 0; furthest = 1;
    run Node(0); run Node(1); run Node(2);
    run Migrations();
    each = 0;
    do
    :: each < RECOVERIES -> run Recovery(); each++
    :: each == RECOVERIES -> break
    od
  }
}
