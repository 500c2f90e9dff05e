/*
 * The live hand-over of DESIGN section 5: one guest, source node S, target node T.
 *
 *   workflow --claim--> S actor 0 --prep, arm, go, revoke (slots: lost, late, twice)--> T worker
 *                       S actor 1 (a second attempt that steals the claim)               |
 *                       |  migrate, continue, cancel, yank, cont, quit                   | cont, kill
 *                       S QEMU  ------------------ RAM stream ------------------->  T QEMU
 *
 * One process of guarded commands: every interleaving of the parties is an order of commands. A command is what the code
 * does under the guest's flock in one go; where a kill may fall in between, there are two commands. Each has a label, which
 * docs/protocol.md maps to the code that does it; a test holds both against each other.
 * Time is not modelled: whatever may happen late may happen at any time. Faults are counted (FAULTS), repairs are free,
 * so every run ends; the end of a run is judged by `at_rest`.
 * Recovery on both nodes looks, decides by DECIDE (generated from the code's own table), acts, and looks again.
 */
#include "decide.pml"

#ifndef FAULTS
#define FAULTS 2
#endif
#ifndef ATTEMPTS
#define ATTEMPTS 1
#endif

/* the properties, each a bit of PROPERTIES, so that a broken variant can be shown to break the one it should */
#define ONE_RUNNER 1
#define NEWEST_RAM 2
#define COMPLETE_STATE 4
#define DROPPED_WHEN_OWNED 8
#define NEW_GENERATION 16
#define NO_ALARM 32
#define REST_ONE_RUNNER 64
#define REST_OWNED 128
#define REST_NOTHING_LEFT 256
#ifndef PROPERTIES
#define PROPERTIES 511
#endif
#define CHECK(property, holds) assert(!(PROPERTIES & property) || (holds))

/* what the model must be able to do: REACH asks for one of them and must find it */
#define HANDED_OVER 1
#define TOOK_BACK 2
#define TOOK_BACK_AFTER_REVOKE 3
#define WENT_AGAIN 4
#define DISK_ON_SOURCE 5
#define DISK_ON_TARGET 6
#define YANKED_BOTH_LOADED 7
#define SECOND_ATTEMPT_DONE 8
#ifndef REACH
#define REACH 0
#endif
#define REACHED(what) assert(REACH != what)

/* record states of either node */
#define NONE 0
#define OWNED 1
#define CLAIMED 2
#define RELEASING 3
#define RELEASED 4
#define INCOMING 5
#define ARMED 6
#define REVOKED 7

/* messages and answers */
#define PREP 1
#define ARM 2
#define GO 3
#define REVOKE 4
#define OK 1
#define REFUSED 2
#define LOST 3

/* where an actor on S stands */
#define IDLE 0
#define P_PREP 1
#define W_PREP 2
#define P_COPY 3
#define P_CONV 4
#define P_SWITCH 5
#define P_GO 6
#define W_GO 7
#define P_RELEASE 8
#define R_LOOK 9
#define R_ACT 10
#define W_REVOKE 11
#define W_CONT 12

/* where T's worker stands */
#define T_IDLE 0
#define T_GO_CONT 1
#define T_WAIT_CONT 2
#define T_SYNC 3
#define T_KILL 4
#define T_ACT 5
#define T_START 6
#define T_ARM_SYNC 7
#define T_DOWN 8

/* S: QEMU, stream (ST_*, completed = 3), link; record as read and as it survives a power cut */
byte sq = Q_RUNNING, stm = ST_NONE;
bit link = 1;
byte ss = OWNED, sg = 1, dss = OWNED, dsg = 1;
/* T: QEMU, record as read and on disk; `oldboot`: armed in another boot; `maybe`: the stored `ran` */
byte tq = Q_GONE;
byte ts = NONE, tg = 0, dts = NONE, dtg = 0;
bit oldboot, maybe;
/* RAM that is not the guest's newest any more */
bit sstale, tstale;
/* `cont` written to the control socket and not yet executed: survives its sender */
bit pendS, pendT;
#ifdef NO_GREETING
bit strayS;
#endif
/* actors of S: position, migration (its generation), answer, decision; `holder` of the claim */
byte pc[2], m[2], ans[2], act[2];
bit asked[2], armed[2], blocked[2];
byte holder;
bit up = 1;
/* T's worker: position, whom it answers, decision, blocked */
byte tpc = T_IDLE, tto = 9, tact;
bit tblocked;
/* messages: slot 0 and 1 are the open calls of the actors, 2 and 3 what their dead or impatient callers left on the way */
byte fk[4], fg[4];
byte mig, issued = 1, attempts = ATTEMPTS, faults = FAULTS;
bit over, reported;
#ifdef STICKY_STATUS
bit everCompleted;
#endif

hidden byte vsr, vtr, vtq, vst, k, g, d;

#define CHANGED blocked[0] = 0; blocked[1] = 0; tblocked = 0
#define WORKING (pc[0] != IDLE || pc[1] != IDLE || !up || tpc != T_IDLE)
#define FAULT(condition) faults > 0 && WORKING && (condition)
#define HIT faults--; CHANGED

/* ▲ one flock per guest, and a newer claim fences an older one */
#ifdef NO_CLAIMS
#define MAY(a) (up && !pendS)
#else
#define MAY(a) (up && !pendS && holder == a)
#endif

/* ── the guest runs ─────────────────────────────────────────────────────────────────────────────────────────────── */

inline two_runners() { CHECK(ONE_RUNNER, !(sq == Q_RUNNING && tq == Q_RUNNING)) }

/* QEMU resumes by itself, or is told to: its RAM must be the newest */
inline source_runs() {
  CHECK(NEWEST_RAM, !sstale);
  sq = Q_RUNNING;
  if :: tq == Q_LOADED -> tstale = 1 :: else fi;
  two_runners()
}

inline source_starts_from_disk() {
  REACHED(DISK_ON_SOURCE);
  sq = Q_RUNNING; sstale = 0; reported = 0;
  if :: tq == Q_LOADED -> tstale = 1 :: else fi;
  two_runners()
}

inline target_runs() {
  CHECK(COMPLETE_STATE, tq == Q_LOADED);   /* QEMU would start half a guest by itself when the load ends */
  CHECK(NEWEST_RAM, !tstale);
  tq = Q_RUNNING; sstale = 1;
  two_runners()
}

/* ── looking and deciding ───────────────────────────────────────────────────────────────────────────────────────── */

/* ▲ what a worker says of its record is durable: it syncs the folder when it starts, and answers under the flock */
#ifdef NO_SYNC_AT_START
#define T_SYNCED 1
#else
#define T_SYNCED (dts == ts && dtg == tg)
#endif
#ifdef UNSYNCED_ANSWERS
#define T_ANSWERS (tpc != T_DOWN)
#else
#define T_ANSWERS (tpc == T_IDLE && T_SYNCED)
#endif

/* how the code classifies records relative to the migration with generation n (src/domain/in-doubt-from.ts) */
inline look(n, sAnswers, tAnswers) {
  if
  :: !(sAnswers) -> vsr = SR_UNKNOWN
  :: else ->
     if
     :: sg == n + 1 && ss == OWNED -> vsr = SR_TAKEN_BACK
#ifdef GENERATION_REUSED
     :: sg == n - 1 && ss == OWNED -> vsr = SR_TAKEN_BACK
#endif
     :: sg > n || (sg == n + 1) -> vsr = SR_LATER
     :: sg == n - 1 && ss == OWNED -> vsr = SR_OWNED_UNCLAIMED
     :: sg == n - 1 && ss == CLAIMED -> vsr = SR_OWNED_CLAIMED
     :: sg == n - 1 && ss == RELEASING -> vsr = SR_RELEASING
     :: sg == n - 1 && ss == RELEASED -> vsr = SR_RELEASED
     :: else -> vsr = SR_FOREIGN
     fi
  fi;
  if
  :: !(tAnswers) -> vtr = TR_UNKNOWN; vtq = Q_UNREACHABLE
  :: else -> vtq = tq;
     if
     :: tg < n -> vtr = TR_NONE
     :: tg > n -> vtr = TR_LATER
     :: tg == n && ts == INCOMING -> vtr = TR_INCOMING
     :: tg == n && ts == ARMED && !oldboot -> vtr = TR_ARMED
     :: tg == n && ts == ARMED && oldboot -> vtr = TR_ARMED_OLD_BOOT
     :: tg == n && ts == OWNED -> vtr = TR_OWNED
     :: tg == n && ts == REVOKED && !maybe -> vtr = TR_REVOKED_RAN_NO
     :: tg == n && ts == REVOKED && maybe -> vtr = TR_REVOKED_RAN_MAYBE
     :: else -> vtr = TR_NONE
     fi
  fi;
  vst = (stm > ST_ENDED -> ST_ENDED : stm);
  d = DECIDE(((sAnswers) -> sq : Q_UNREACHABLE), vsr, vtr, vtq, over, vst, !link);
#ifdef RESUME_BEFORE_REVOKE
  if :: vsr == SR_RELEASED && sq == Q_POSTMIGRATE && vtr != TR_OWNED -> d = DO_TAKE_BACK :: else fi;
#endif
  k = 0; vsr = 0; vtr = 0; vtq = 0; vst = 0
}

/* ── effects on S; each is a command under the flock ────────────────────────────────────────────────────────────── */

inline source_record(state, gen) { ss = state; sg = gen; dss = state; dsg = gen }

/* ▲ no generation is issued twice */
inline issue(gen) { CHECK(NEW_GENERATION, gen > issued); issued = gen }

#ifdef GENERATION_REUSED
#define TAKEN_BACK(n) (n - 1)
#else
#define TAKEN_BACK(n) (n + 1)
#endif

/* calls have ids: what the target still does for an earlier call of this actor is not answered to the new one */
inline send(a, kind) {
  fk[a] = kind; fg[a] = m[a]; ans[a] = 0; asked[a] = 1;
  if :: tto == a -> tto = 9 :: else fi
}

inline recover(a) { pc[a] = R_LOOK; ans[a] = 0; asked[a] = 0; armed[a] = 0; act[a] = 0 }

inline ended(a) { pc[a] = IDLE; ans[a] = 0; asked[a] = 0; armed[a] = 0; act[a] = 0; m[a] = 0 }

/* what becomes of a target that was still loading: 0 it exits, 1 it waits for ever, 2 it had everything and loads it */
inline stream_breaks(fate) {
  stm = ST_ENDED;
  if
  :: tq == Q_INMIGRATE && fate == 0 -> tq = Q_GONE
  :: tq == Q_INMIGRATE && fate == 2 -> REACHED(YANKED_BOTH_LOADED); tq = Q_LOADED; tstale = (sq == Q_RUNNING -> 1 : 0)
  :: else
  fi
}

/* the source's QEMU ends; if its node owned the guest outside of any migration, it reports that by itself */
inline source_ends() {
  if :: sq == Q_RUNNING && ss == OWNED -> reported = 1 :: else fi;
  sq = Q_GONE; pendS = 0
}

inline source_drops() {
  CHECK(DROPPED_WHEN_OWNED, dts == OWNED && dtg >= sg);   /* only when owned elsewhere, durably */
  source_record(RELEASED, sg); sq = Q_GONE
}

#ifdef STICKY_STATUS
#define COMPLETED (everCompleted)
#else
#define COMPLETED (stm == 3)
#endif

/* ▲ go needs three */
#ifdef GO_BEFORE_COMPLETED
#define GO_READY(a) (armed[a] && ss == RELEASING && sq == Q_DEVICE)
#else
#ifdef STICKY_STATUS
#define GO_READY(a) (armed[a] && ss == RELEASING && COMPLETED && sq != Q_GONE && sq != Q_RUNNING)
#else
#define GO_READY(a) (armed[a] && ss == RELEASING && sq == Q_POSTMIGRATE && COMPLETED)
#endif
#endif

#define STREAM_COMMANDS(fate) \
  /* the target died or the return path broke in the final pass: QEMU resumes by itself */ \
  :: d_step { /*@ fault: stream breaks in the final pass */ FAULT(sq == Q_DEVICE && (fate == 0 || tq == Q_INMIGRATE)) -> HIT; source_runs(); stream_breaks(fate) } \
  /* yank */ \
  :: d_step { /*@ recovery: yank */ MAY(0) && pc[0] == R_ACT && act[0] == DO_YANK && sq == Q_DEVICE && (fate == 0 || tq == Q_INMIGRATE) -> CHANGED; source_runs(); stream_breaks(fate); recover(0) } \
  :: d_step { /*@ recovery: yank */ MAY(1) && pc[1] == R_ACT && act[1] == DO_YANK && sq == Q_DEVICE && (fate == 0 || tq == Q_INMIGRATE) -> CHANGED; source_runs(); stream_breaks(fate); recover(1) } \
  /* the source's QEMU is killed */ \
  :: d_step { /*@ fault: source QEMU killed */ FAULT(sq != Q_GONE && (fate == 0 || (tq == Q_INMIGRATE && stm == ST_ACTIVE && (fate == 1 || sq == Q_DEVICE)))) -> HIT; source_ends(); stream_breaks(fate) }

/* a stream that breaks or is cancelled before the final pass leaves nothing to load */
#define COPY_COMMANDS(fate) \
  :: d_step { /*@ fault: stream breaks in the copy */ FAULT(sq == Q_RUNNING && stm == ST_ACTIVE) -> HIT; stream_breaks(fate) } \
  :: d_step { /*@ recovery: cancel the stream */ MAY(0) && pc[0] == R_ACT && act[0] == DO_CANCEL_STREAM && (sq == Q_PRE_SWITCHOVER || (sq == Q_RUNNING && stm == ST_ACTIVE)) -> CHANGED; source_runs(); stream_breaks(fate); recover(0) } \
  :: d_step { /*@ recovery: cancel the stream */ MAY(1) && pc[1] == R_ACT && act[1] == DO_CANCEL_STREAM && (sq == Q_PRE_SWITCHOVER || (sq == Q_RUNNING && stm == ST_ACTIVE)) -> CHANGED; source_runs(); stream_breaks(fate); recover(1) }

#define ACTOR(a) \
  /* an older attempt's effects are refused: it ends */ \
  :: d_step { /*@ attempt: fenced */ up && pc[a] != IDLE && holder != a -> CHANGED; ended(a) } \
  /* prepare */ \
  :: d_step { /*@ prepare: ask */ MAY(a) && pc[a] == P_PREP -> CHANGED; send(a, PREP); pc[a] = W_PREP } \
  :: d_step { /*@ prepare: done */ MAY(a) && pc[a] == W_PREP && ans[a] == OK -> CHANGED; pc[a] = P_COPY; ans[a] = 0; asked[a] = 0 } \
  :: d_step { /*@ prepare: refused or lost */ MAY(a) && pc[a] == W_PREP && ans[a] > OK -> CHANGED; over = 1; recover(a) } \
  /* pre-copy, converged */ \
  :: d_step { /*@ copy: start the stream */ MAY(a) && pc[a] == P_COPY && sq == Q_RUNNING && tq == Q_INMIGRATE && stm == ST_NONE -> CHANGED; stm = ST_ACTIVE; pc[a] = P_CONV } \
  :: d_step { /*@ copy: no stream to start */ MAY(a) && pc[a] == P_COPY && !(sq == Q_RUNNING && tq == Q_INMIGRATE && stm == ST_NONE) -> CHANGED; stm = (stm == ST_NONE -> ST_ENDED : stm); recover(a) } \
  :: d_step { /*@ copy: converged, paused */ MAY(a) && pc[a] == P_CONV && sq == Q_RUNNING && stm == ST_ACTIVE && tq == Q_INMIGRATE -> CHANGED; sq = Q_PRE_SWITCHOVER; pc[a] = P_SWITCH } \
  :: d_step { /*@ copy: the stream ended */ MAY(a) && pc[a] == P_CONV && !(sq == Q_RUNNING && stm == ST_ACTIVE && tq == Q_INMIGRATE) -> CHANGED; stm = (sq == Q_RUNNING -> ST_ENDED : stm); recover(a) } \
  /* switchover: releasing, armed and migrate-continue in any order */ \
  :: d_step { /*@ switch: releasing */ MAY(a) && pc[a] == P_SWITCH && ss == CLAIMED && sg == m[a] - 1 && sq != Q_RUNNING && sq != Q_GONE -> CHANGED; source_record(RELEASING, sg) } \
  :: d_step { /*@ switch: ask to arm */ MAY(a) && pc[a] == P_SWITCH && !asked[a] && !armed[a] -> CHANGED; send(a, ARM) } \
  :: d_step { /*@ switch: armed, answered */ MAY(a) && pc[a] == P_SWITCH && asked[a] && ans[a] == OK -> CHANGED; armed[a] = 1; ans[a] = 0; asked[a] = 0 } \
  :: d_step { /*@ switch: continue */ MAY(a) && pc[a] == P_SWITCH && sq == Q_PRE_SWITCHOVER -> CHANGED; sq = Q_DEVICE } \
  :: d_step { /*@ switch: give up */ MAY(a) && pc[a] == P_SWITCH && (ans[a] > OK || sq == Q_RUNNING || sq == Q_GONE || (sq == Q_DEVICE && !link) || over) -> CHANGED; recover(a) } \
  :: d_step { /*@ switch: released */ MAY(a) && pc[a] == P_SWITCH && GO_READY(a) -> CHANGED; RENAME_RELEASED; pc[a] = P_GO } \
  :: d_step { /*@ switch: go */ MAY(a) && pc[a] == P_GO -> CHANGED; send(a, GO); pc[a] = W_GO; EARLY_DROP } \
  :: d_step { /*@ go: answered */ MAY(a) && pc[a] == W_GO && ans[a] == OK -> CHANGED; pc[a] = P_RELEASE; ans[a] = 0; asked[a] = 0 } \
  :: d_step { /*@ go: refused or lost */ MAY(a) && pc[a] == W_GO && ans[a] > OK -> CHANGED; recover(a) } \
  :: d_step { /*@ release: drop the source */ MAY(a) && pc[a] == P_RELEASE -> CHANGED; source_drops(); ended(a); REACHED(HANDED_OVER); if :: attempts == 0 && mig > 2 -> REACHED(SECOND_ATTEMPT_DONE) :: else fi } \
  /* recovery: what it reads of its own record it makes durable first (another attempt may have renamed only) */ \
  :: d_step { /*@ recovery: sync what was read */ MAY(a) && pc[a] == R_LOOK && dss != ss -> CHANGED; dss = ss; dsg = sg } \
  /* look, with or without the target's answer */ \
  :: d_step { /*@ recovery: look and decide */ MAY(a) && pc[a] == R_LOOK && dss == ss && !blocked[a] && (T_ANSWERS || tpc == T_DOWN) -> \
       look(m[a], 1, tpc != T_DOWN); \
       if \
       :: d == DO_ALARM -> CHECK(NO_ALARM, 0); blocked[a] = 1 \
       :: d == DO_SETTLED || d == DO_SUPERSEDED || (d == DO_GUEST_ENDED_ON_TARGET && reported) -> CHANGED; ended(a) \
       :: d == DO_CONTINUE && sq == Q_RUNNING && stm == ST_NONE && tg == m[a] && tq == Q_INMIGRATE -> CHANGED; pc[a] = P_COPY \
       :: d == DO_CONTINUE && sq == Q_RUNNING && stm == ST_NONE && tg < m[a] -> CHANGED; pc[a] = P_PREP \
       :: d == DO_CONTINUE && sq == Q_RUNNING && stm == ST_ACTIVE -> CHANGED; pc[a] = P_CONV \
       :: d == DO_CONTINUE && sq == Q_RUNNING && stm != ST_ACTIVE && !(stm == ST_NONE && (tg < m[a] || (tg == m[a] && tq == Q_INMIGRATE))) -> CHANGED; over = 1 /* the workflow gives up */ \
       :: (d == DO_CONTINUE && sq != Q_RUNNING) || d == DO_HAND_OVER -> CHANGED; pc[a] = P_SWITCH \
       :: d == DO_GO -> CHANGED; REACHED(WENT_AGAIN); pc[a] = P_GO \
       :: d == DO_NEEDS_EVIDENCE || d == DO_WAIT || d == DO_CONT_ON_TARGET || (d == DO_GUEST_ENDED_ON_TARGET && !reported) || d == DO_START_FROM_DISK_ON_TARGET || d == DO_KILL_TARGET_COPY -> blocked[a] = 1 \
       :: else -> CHANGED; act[a] = d; pc[a] = R_ACT \
       fi; d = 0 } \
  :: d_step { /*@ recovery: look, the target seems silent */ FAULT(MAY(a) && pc[a] == R_LOOK && dss == ss && T_ANSWERS) -> look(m[a], 1, 0); \
       if \
       :: d == DO_TAKE_BACK || d == DO_KEEP_ON_SOURCE || d == DO_CANCEL_STREAM || d == DO_CONT_ON_SOURCE || d == DO_START_FROM_DISK_ON_SOURCE -> HIT; act[a] = d; pc[a] = R_ACT \
       :: d == DO_SETTLED -> HIT; ended(a) \
       :: else -> faults-- \
       fi; d = 0 } \
  /* act: what the decision was about is checked again under the flock */ \
  :: d_step { /*@ recovery: ask to revoke */ MAY(a) && pc[a] == R_ACT && act[a] == DO_REVOKE_TARGET -> CHANGED; send(a, REVOKE); pc[a] = W_REVOKE } \
  :: d_step { /*@ recovery: revocation answered or lost */ MAY(a) && pc[a] == W_REVOKE && ans[a] != 0 -> CHANGED; recover(a) } \
  :: d_step { /*@ recovery: keep on the source */ MAY(a) && pc[a] == R_ACT && act[a] == DO_KEEP_ON_SOURCE -> CHANGED; \
       if :: sq == Q_RUNNING && sg == m[a] - 1 && (ss == CLAIMED || ss == RELEASING) -> issue(TAKEN_BACK(m[a])); source_record(OWNED, TAKEN_BACK(m[a])) :: else fi; recover(a) } \
  :: d_step { /*@ recovery: take back */ MAY(a) && pc[a] == R_ACT && act[a] == DO_TAKE_BACK -> CHANGED; \
       if :: sq == Q_POSTMIGRATE && sg == m[a] - 1 && ss != OWNED -> REACHED(TOOK_BACK); if :: ss == RELEASED -> REACHED(TOOK_BACK_AFTER_REVOKE) :: else fi; issue(TAKEN_BACK(m[a])); source_record(OWNED, TAKEN_BACK(m[a])) :: else fi; recover(a) } \
  :: d_step { /*@ recovery: cont on the source */ MAY(a) && pc[a] == R_ACT && act[a] == DO_CONT_ON_SOURCE -> CHANGED; \
       if :: sq == Q_POSTMIGRATE && ss == OWNED -> pendS = 1; pc[a] = W_CONT; act[a] = 0 :: else -> recover(a) fi } \
  :: d_step { /*@ recovery: cont answered */ up && pc[a] == W_CONT && !pendS -> CHANGED; recover(a) } \
  :: d_step { /*@ recovery: start from disk on the source */ MAY(a) && pc[a] == R_ACT && act[a] == DO_START_FROM_DISK_ON_SOURCE -> CHANGED; \
       if \
       :: sq == Q_POSTMIGRATE -> sq = Q_GONE; recover(a) \
       :: sq == Q_GONE && !(ss == OWNED && sg == m[a] + 1) -> issue(m[a] + 1); source_record(OWNED, m[a] + 1); recover(a) \
       :: sq == Q_GONE && ss == OWNED && sg == m[a] + 1 -> source_starts_from_disk(); recover(a) \
       :: else -> recover(a) \
       fi } \
  :: d_step { /*@ recovery: release the source */ MAY(a) && pc[a] == R_ACT && act[a] == DO_RELEASE_SOURCE -> CHANGED; source_drops(); recover(a) } \
  :: d_step { /*@ recovery: nothing to yank */ MAY(a) && pc[a] == R_ACT && act[a] == DO_YANK && sq != Q_DEVICE -> CHANGED; recover(a) } \
  :: d_step { /*@ recovery: nothing to cancel */ MAY(a) && pc[a] == R_ACT && act[a] == DO_CANCEL_STREAM && !(sq == Q_PRE_SWITCHOVER || (sq == Q_RUNNING && stm == ST_ACTIVE)) -> CHANGED; recover(a) } \
  /* calls fail: the target is down; or lost on the way, answer lost, given up too early (the message stays under way) */ \
  :: d_step { /*@ call: target down */ fk[a] != 0 && tpc == T_DOWN -> CHANGED; fk[a] = 0; fg[a] = 0; ans[a] = LOST } \
  :: d_step { /*@ fault: request lost */ FAULT(fk[a] != 0) -> HIT; fk[a] = 0; fg[a] = 0; ans[a] = LOST } \
  :: d_step { /*@ fault: answer lost */ FAULT(ans[a] == OK) -> HIT; ans[a] = LOST } \
  :: d_step { /*@ fault: call given up, request under way */ FAULT(fk[a] != 0 && fk[2 + a] == 0) -> HIT; fk[2 + a] = fk[a]; fg[2 + a] = fg[a]; fk[a] = 0; fg[a] = 0; ans[a] = LOST } \
  :: d_step { /*@ fault: answer given up */ FAULT(tto == a) -> HIT; tto = 9; ans[a] = LOST } \
  /* said twice */ \
  :: d_step { /*@ fault: request said twice */ FAULT(fk[a] != 0 && fk[2 + a] == 0) -> HIT; fk[2 + a] = fk[a]; fg[2 + a] = fg[a] }

#ifdef RELEASED_SKIPPED
#define RENAME_RELEASED skip
#else
#define RENAME_RELEASED ss = RELEASED
#endif

#ifdef SOURCE_DROPPED_EARLY
#define EARLY_DROP source_drops()
#else
#define EARLY_DROP skip
#endif

/* ── T's answers, each under T's flock ──────────────────────────────────────────────────────────────────────────── */

inline target_record(state, gen) { ts = state; tg = gen; dts = state; dtg = gen; oldboot = 0 }

inline answer(to, what) { if :: to < 2 && to != 9 -> ans[to] = what :: else fi }

#ifdef GENERATION_REUSED
#define NEWER(gen) (gen >= tg)
#else
#define NEWER(gen) (gen > tg)
#endif

#ifdef RECORD_AFTER_CONT
#define MAY_GO (ts == INCOMING || ts == ARMED)
#else
#define MAY_GO (ts == ARMED)
#endif

#ifdef TARGET_CHECKS_NOTHING
#define COMPLETE (tq == Q_LOADED || tq == Q_INMIGRATE)
#else
#define COMPLETE (tq == Q_LOADED)
#endif

inline revoke_own() {
#ifdef OLD_BOOT_RAN_NO
  maybe = 0;
#else
  maybe = (ts == ARMED && tg == g && oldboot -> 1 : 0);
#endif
  target_record(REVOKED, g); tpc = T_KILL
}

inline handle(from) {
  k = fk[from]; g = fg[from]; fk[from] = 0; fg[from] = 0; tto = from;
  if
  :: k == PREP ->
     if
     :: NEWER(g) && ts != OWNED -> target_record(INCOMING, g); maybe = 0; tq = Q_INMIGRATE; tstale = 0; answer(tto, OK)
     :: else -> answer(tto, (ts == INCOMING && tg == g -> OK : REFUSED))
     fi; tto = 9
  :: k == ARM ->
     if
#ifdef RECORD_AFTER_CONT
     :: ts == INCOMING && tg == g -> answer(tto, OK)
#else
     :: ts == INCOMING && tg == g -> ts = ARMED; oldboot = 0; tpc = T_ARM_SYNC
#endif
     :: ts == ARMED && tg == g && !oldboot -> answer(tto, OK)
     :: else -> answer(tto, REFUSED)
     fi;
     if :: tpc == T_IDLE -> tto = 9 :: else fi
  :: k == GO ->
     if
     :: ts == OWNED && tg == g -> answer(tto, OK); tto = 9
     :: MAY_GO && tg == g && !oldboot && COMPLETE ->
#ifndef RECORD_AFTER_CONT
        ts = OWNED;   /* renamed, not yet synced */
#endif
        tpc = T_GO_CONT
     :: else -> answer(tto, REFUSED); tto = 9
     fi
  :: k == REVOKE ->
     if
     :: ts == OWNED && tg == g -> answer(tto, REFUSED); tto = 9
     :: tg > g -> answer(tto, REFUSED); tto = 9
     :: ts == REVOKED && tg == g -> tpc = T_KILL
     :: else -> revoke_own()
     fi
  fi;
  k = 0; g = 0
}

#define TARGET_RECEIVES(from) :: d_step { /*@ target: receive */ tpc == T_IDLE && T_SYNCED && fk[from] != 0 -> CHANGED; handle(from) }

/* ── a worker dies, its calls may still be under way; a node loses power ────────────────────────────────────────── */

inline source_worker_dies(keep) {
#ifdef NO_GREETING
  if :: pendS -> strayS = 1; pendS = 0 :: else fi;
#endif
  up = 0; holder = 0;
  if :: keep && fk[0] != 0 && fk[2] == 0 -> fk[2] = fk[0]; fg[2] = fg[0] :: else fi;
  if :: keep && fk[1] != 0 && fk[3] == 0 -> fk[3] = fk[1]; fg[3] = fg[1] :: else fi;
  fk[0] = 0; fg[0] = 0; fk[1] = 0; fg[1] = 0;
  if :: pc[0] != IDLE || pc[1] != IDLE -> ended(0); ended(1); pc[0] = R_LOOK; m[0] = mig :: else fi;
  if :: tto < 2 -> tto = 9 :: else fi
}

inline target_worker_dies() { tpc = T_DOWN; answer(tto, LOST); tto = 9; tact = 0 }

inline source_power_cut(fate) {
  source_worker_dies(0); source_ends();
  if :: stm == ST_ACTIVE -> stream_breaks(fate) :: else fi
}

inline target_power_cut() {
  target_worker_dies(); tq = Q_GONE; pendT = 0;
  fk[2] = 0; fg[2] = 0; fk[3] = 0; fg[3] = 0
}

/* ── the end of a run ───────────────────────────────────────────────────────────────────────────────────────────── */

inline at_rest() {
  /* nobody waits for ever; exactly one runner, or reported as ended */
  CHECK(REST_ONE_RUNNER, pc[0] == IDLE && pc[1] == IDLE && up && tpc == T_IDLE && (sq == Q_RUNNING) + (tq == Q_RUNNING) + reported == 1);
  /* its node owns it, durably */
  CHECK(REST_OWNED, !(sq == Q_RUNNING) || (ss == OWNED && dss == OWNED));
  CHECK(REST_OWNED, !(tq == Q_RUNNING) || (ts == OWNED && dts == OWNED && ss == RELEASED && dss == RELEASED));
  /* no copy, no promise left over */
  CHECK(REST_NOTHING_LEFT, (tq == Q_RUNNING -> sq == Q_GONE : 1) && (sq == Q_RUNNING -> tq == Q_GONE : 1));
  CHECK(REST_NOTHING_LEFT, ts != INCOMING && ts != ARMED && ss != CLAIMED && ss != RELEASING)
}

init {
  do
  /* the workflow claims the guest and begins; a second one only after the first was rolled back */
  :: d_step { /*@ claim */ attempts > 0 && up && pc[0] == IDLE && ss == OWNED && sq == Q_RUNNING && !pendS && ts != OWNED ->
       assert(stm != ST_ACTIVE);
       CHANGED; attempts--; mig = sg + 1; issue(mig); source_record(CLAIMED, sg); m[0] = mig; holder = 0; pc[0] = P_PREP; over = 0; link = 1;
       stm = ST_NONE }
  /* a second attempt of the same work (its heartbeat was late): steals the claim, looks */
  :: d_step { /*@ attempt: second one steals the claim */ FAULT(up && pc[1] == IDLE && pc[0] != IDLE && holder == 0 && !pendS) -> HIT; holder = 1; pc[1] = R_LOOK; m[1] = mig }
  /* deadline or cancel */
  :: d_step { /*@ deadline or cancel */ !over && pc[0] != IDLE && ss != RELEASED -> CHANGED; over = 1 }

  ACTOR(0)
  ACTOR(1)

  /* QEMU on both sides */
  :: d_step { /*@ QEMU: target loads */ sq == Q_DEVICE && link && tq == Q_INMIGRATE -> CHANGED; tq = Q_LOADED; tstale = 0 }
  :: d_step { /*@ QEMU: source completes */ sq == Q_DEVICE && link && (tq == Q_LOADED || tq == Q_RUNNING) -> CHANGED; sq = Q_POSTMIGRATE; stm = 3;
#ifdef STICKY_STATUS
       everCompleted = 1
#endif
     }
  :: d_step { /*@ QEMU: target gone, source resumes */ sq == Q_DEVICE && tq == Q_GONE -> CHANGED; source_runs(); stm = ST_ENDED }
  :: d_step { /*@ fault: final pass hangs */ FAULT(sq == Q_DEVICE && link) -> HIT; link = 0 }
  STREAM_COMMANDS(0)
  STREAM_COMMANDS(1)
  STREAM_COMMANDS(2)
  COPY_COMMANDS(0)
  COPY_COMMANDS(1)
  :: d_step { /*@ fault: target QEMU killed */ FAULT(tq == Q_INMIGRATE || tq == Q_LOADED) -> HIT; tq = Q_GONE; pendT = 0; if :: sq == Q_RUNNING && stm == ST_ACTIVE -> stm = ST_ENDED :: else fi }
  :: d_step { /*@ QEMU: cont on the source */ pendS -> CHANGED; pendS = 0; if :: sq == Q_POSTMIGRATE -> source_runs() :: else fi }
  :: d_step { /*@ QEMU: cont on the target */ pendT -> CHANGED; pendT = 0; if :: tq == Q_LOADED || tq == Q_INMIGRATE -> target_runs() :: else fi }

#ifdef NO_GREETING
  :: d_step { /*@ variant: stray cont */ strayS -> CHANGED; strayS = 0; if :: sq == Q_POSTMIGRATE -> source_runs() :: else fi }
#endif

  /* T's worker */
  TARGET_RECEIVES(0)
  TARGET_RECEIVES(1)
  TARGET_RECEIVES(2)
  TARGET_RECEIVES(3)
  :: d_step { /*@ target: armed, synced */ tpc == T_ARM_SYNC -> CHANGED; target_record(ARMED, tg); answer(tto, OK); tto = 9; tpc = T_IDLE }
  :: d_step { /*@ target: owned, cont sent */ tpc == T_GO_CONT -> CHANGED; pendT = 1; tpc = T_WAIT_CONT }
  :: d_step { /*@ target: cont answered */ tpc == T_WAIT_CONT && !pendT -> CHANGED; tpc = T_SYNC }
  :: d_step { /*@ target: owned, synced */ tpc == T_SYNC -> CHANGED;
#ifdef RECORD_AFTER_CONT
       ts = OWNED;
#endif
       target_record(ts, tg); answer(tto, OK); tto = 9; tpc = T_IDLE }
  :: d_step { /*@ target: kill the copy */ tpc == T_KILL -> CHANGED; CHECK(NO_ALARM, tq != Q_RUNNING); tq = Q_GONE; pendT = 0; answer(tto, OK); tto = 9; tpc = T_IDLE }
  /* the lease of `incoming` ends: early is a fault, late is none */
  :: d_step { /*@ target: lease ends */ tpc == T_IDLE && ts == INCOMING && (sg >= tg || (pc[0] == IDLE && pc[1] == IDLE && up)) -> CHANGED; maybe = 0; target_record(REVOKED, tg); tpc = T_KILL }
  :: d_step { /*@ fault: lease ends early */ FAULT(tpc == T_IDLE && ts == INCOMING) -> HIT; maybe = 0; target_record(REVOKED, tg); tpc = T_KILL }
  /* T's own recovery: it looks at S as well, and does what the table lets a target do */
  :: d_step { /*@ target: look and decide */ tpc == T_IDLE && T_SYNCED && !tblocked && tg > 0 ->
       look(tg, up, 1);
       if
       :: d == DO_ALARM -> CHECK(NO_ALARM, 0); tblocked = 1
       :: d == DO_CONT_ON_TARGET || d == DO_START_FROM_DISK_ON_TARGET || d == DO_KILL_TARGET_COPY || d == DO_REVOKE_TARGET || (d == DO_GUEST_ENDED_ON_TARGET && !reported) -> CHANGED; tact = d; tpc = T_ACT
       :: else -> tblocked = 1
       fi; d = 0 }
  :: d_step { /*@ target: act */ tpc == T_ACT -> CHANGED; tpc = T_IDLE;
       if
       :: tact == DO_CONT_ON_TARGET && ts == OWNED && tq == Q_LOADED -> pendT = 1; tpc = T_WAIT_CONT
       :: tact == DO_START_FROM_DISK_ON_TARGET && ts == ARMED && tq == Q_GONE -> REACHED(DISK_ON_TARGET); target_record(OWNED, tg); tpc = T_START
       :: tact == DO_KILL_TARGET_COPY && ts == REVOKED -> tpc = T_KILL
       :: tact == DO_REVOKE_TARGET && (ts == INCOMING || ts == ARMED) -> g = tg; revoke_own(); g = 0
       :: tact == DO_GUEST_ENDED_ON_TARGET && ts == OWNED && tq == Q_GONE -> tpc = T_START
       :: else
       fi; tact = 0 }
  /* the guest's policy: start it again, or report that it ended */
  :: d_step { /*@ target: start from disk */ tpc == T_START -> CHANGED; tpc = T_IDLE; tq = Q_RUNNING; sstale = 1; two_runners() }
  :: d_step { /*@ target: report the end */ tpc == T_START -> CHANGED; tpc = T_IDLE; reported = 1 }

  /* faults of workers and nodes, and their return */
  :: d_step { /*@ fault: source worker dies */ FAULT(up) -> HIT; source_worker_dies(0) }
  :: d_step { /*@ fault: source worker dies */ FAULT(up && (fk[0] != 0 || fk[1] != 0)) -> HIT; source_worker_dies(1) }
  :: d_step { /*@ fault: target worker dies */ FAULT(tpc != T_DOWN) -> HIT; target_worker_dies() }
  :: d_step { /*@ fault: source power cut */ FAULT(1) -> HIT; ss = dss; sg = dsg; source_power_cut(0) }
  :: d_step { /*@ fault: source power cut */ FAULT(dss != ss) -> HIT; dss = ss; dsg = sg; source_power_cut(0) }
  :: d_step { /*@ fault: source power cut */ FAULT(tq == Q_INMIGRATE && stm == ST_ACTIVE) -> HIT; ss = dss; sg = dsg; source_power_cut(1) }
  :: d_step { /*@ fault: source power cut */ FAULT(tq == Q_INMIGRATE && sq == Q_DEVICE) -> HIT; ss = dss; sg = dsg; source_power_cut(2) }
  :: d_step { /*@ fault: target power cut */ FAULT(1) -> HIT; ts = dts; tg = dtg; oldboot = (ts == ARMED -> 1 : 0); target_power_cut() }
  :: d_step { /*@ fault: target power cut */ FAULT(dts != ts) -> HIT; dts = ts; dtg = tg; oldboot = (ts == ARMED -> 1 : 0); target_power_cut() }
#ifdef NO_GREETING
#define GREETED(pending) 1
#else
#define GREETED(pending) (!pending)
#endif
  :: d_step { /*@ source worker starts */ !up && GREETED(pendS) -> CHANGED; up = 1; dss = ss; dsg = sg }
  :: d_step { /*@ target worker starts */ tpc == T_DOWN && GREETED(pendT) -> CHANGED; tpc = T_IDLE;
#ifndef NO_SYNC_AT_START
       dts = ts; dtg = tg
#endif
     }
  :: else -> break
  od;
  at_rest()
}
