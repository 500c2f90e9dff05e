/* Generated from src/domain/in-doubt-table.ts by model/generate.ts: edit the table, then generate again. */

#define Q_GONE 0
#define Q_UNREACHABLE 1
#define Q_RUNNING 2
#define Q_PAUSED 3
#define Q_PRE_SWITCHOVER 4
#define Q_DEVICE 5
#define Q_POSTMIGRATE 6
#define Q_INMIGRATE 7
#define Q_LOADED 8

#define SR_OWNED_UNCLAIMED 0
#define SR_OWNED_CLAIMED 1
#define SR_RELEASING 2
#define SR_RELEASED 3
#define SR_TAKEN_BACK 4
#define SR_LATER 5
#define SR_FOREIGN 6
#define SR_MISSING 7
#define SR_UNREADABLE 8
#define SR_UNKNOWN 9
#define SR_FENCED 10

#define TR_NONE 0
#define TR_INCOMING 1
#define TR_ARMED 2
#define TR_ARMED_OLD_BOOT 3
#define TR_OWNED 4
#define TR_REVOKED_RAN_NO 5
#define TR_REVOKED_RAN_MAYBE 6
#define TR_LATER 7
#define TR_FOREIGN 8
#define TR_UNREADABLE 9
#define TR_UNKNOWN 10
#define TR_FENCED 11

#define AT_OPEN 0
#define AT_OVER 1

#define ST_NONE 0
#define ST_ACTIVE 1
#define ST_ENDED 2

#define DO_NEEDS_EVIDENCE 0
#define DO_ALARM 1
#define DO_KILL_TARGET_COPY 2
#define DO_REVOKE_TARGET 3
#define DO_SUPERSEDED 4
#define DO_CONT_ON_TARGET 5
#define DO_RELEASE_SOURCE 6
#define DO_GUEST_ENDED_ON_TARGET 7
#define DO_SETTLED 8
#define DO_YANK 9
#define DO_WAIT 10
#define DO_TAKE_OVER_ON_TARGET 11
#define DO_CONTINUE 12
#define DO_CANCEL_STREAM 13
#define DO_KEEP_ON_SOURCE 14
#define DO_HAND_OVER 15
#define DO_TAKE_BACK 16
#define DO_GO 17
#define DO_START_FROM_DISK_ON_SOURCE 18
#define DO_START_FROM_DISK_ON_TARGET 19
#define DO_CONT_ON_SOURCE 20

#define DECIDE(sq,sr,tr,tq,at,st,fz) \
  ((((1 << sq) & 4) && ((1 << sr) & 8) && ((1 << tr) & 16) && ((1 << tq) & 4)) -> DO_ALARM : /* two-runners-target-owns */ \
  ((((1 << sq) & 4) && ((1 << sr) & 23) && ((1 << tr) & 96) && ((1 << tq) & 4)) -> DO_ALARM : /* two-runners-source-owns */ \
  ((((1 << sq) & 4) && ((1 << tq) & 4)) -> DO_ALARM : /* two-runners */ \
  ((((1 << tr) & 111) && ((1 << tq) & 4)) -> DO_ALARM : /* runs-without-permission */ \
  ((((1 << sr) & 16) && ((1 << tr) & 16)) -> DO_ALARM : /* two-owners */ \
  ((((1 << sq) & 52) && ((1 << tr) & 16)) -> DO_ALARM : /* source-not-stopped */ \
  ((((1 << tr) & 96) && ((1 << tq) & 392)) -> DO_KILL_TARGET_COPY : /* revoked-copy */ \
  ((((1 << sr) & 32) && ((1 << tr) & 14) && ((1 << tq) & 395)) -> DO_REVOKE_TARGET : /* superseded-leftover */ \
  ((((1 << sr) & 32)) -> DO_SUPERSEDED : /* superseded-source */ \
  ((((1 << tr) & 128)) -> DO_SUPERSEDED : /* superseded-target */ \
  ((((1 << sq) & 507) && ((1 << tr) & 16) && ((1 << tq) & 264)) -> DO_CONT_ON_TARGET : /* owned-not-resumed */ \
  ((((1 << sq) & 74) && ((1 << sr) & 14) && ((1 << tr) & 16) && ((1 << tq) & 269)) -> DO_RELEASE_SOURCE : /* owned-source-left */ \
  ((((1 << sq) & 1) && ((1 << sr) & 6) && ((1 << tr) & 16) && ((1 << tq) & 269)) -> DO_RELEASE_SOURCE : /* owned-source-record-left */ \
  ((((1 << sq) & 507) && ((1 << tr) & 16) && ((1 << tq) & 1)) -> DO_GUEST_ENDED_ON_TARGET : /* owned-ended */ \
  ((((1 << sq) & 1) && ((1 << sr) & 1416) && ((1 << tr) & 16) && ((1 << tq) & 269)) -> DO_SETTLED : /* owned-settled */ \
  ((((1 << sq) & 2) && ((1 << sr) & 512) && ((1 << tr) & 16) && ((1 << tq) & 269)) -> DO_SETTLED : /* owned-source-silent */ \
  ((((1 << tr) & 16)) -> DO_NEEDS_EVIDENCE : /* owned-unclear */ \
  ((((1 << sq) & 32) && fz) -> DO_YANK : /* device-frozen */ \
  ((((1 << sq) & 32)) -> DO_WAIT : /* device */ \
  ((((1 << sr) & 960)) -> DO_NEEDS_EVIDENCE : /* source-record-unknown */ \
  ((((1 << sq) & 1) && ((1 << sr) & 1024) && ((1 << tr) & 14) && ((1 << tq) & 393)) -> DO_TAKE_OVER_ON_TARGET : /* source-fenced */ \
  ((((1 << sr) & 1024)) -> DO_NEEDS_EVIDENCE : /* source-fenced-unclear */ \
  ((((1 << sq) & 16) && ((1 << sr) & 6) && ((1 << tr) & 6) && ((1 << tq) & 128) && ((1 << at) & 1)) -> DO_CONTINUE : /* pre-switchover */ \
  ((((1 << sq) & 16) && ((1 << sr) & 6) && ((1 << tq) & 2) && ((1 << at) & 1)) -> DO_WAIT : /* pre-switchover-silent */ \
  ((((1 << sq) & 16) && ((1 << sr) & 22)) -> DO_CANCEL_STREAM : /* pre-switchover-over */ \
  ((((1 << sq) & 12) && ((1 << sr) & 2) && ((1 << at) & 1) && ((1 << st) & 3)) -> DO_CONTINUE : /* copying */ \
  ((((1 << sq) & 12) && ((1 << sr) & 22) && ((1 << st) & 2)) -> DO_CANCEL_STREAM : /* copying-over */ \
  ((((1 << sq) & 12) && ((1 << sr) & 6) && ((1 << tr) & 3951) && ((1 << tq) & 507)) -> DO_KEEP_ON_SOURCE : /* source-runs */ \
  ((((1 << sq) & 64) && ((1 << sr) & 6) && ((1 << tr) & 6) && ((1 << tq) & 256) && ((1 << at) & 1)) -> DO_HAND_OVER : /* both-complete */ \
  ((((1 << sq) & 64) && ((1 << sr) & 6) && ((1 << tr) & 6) && ((1 << tq) & 128) && ((1 << at) & 1)) -> DO_WAIT : /* target-about-to-be-loaded */ \
  ((((1 << sq) & 64) && ((1 << sr) & 6) && ((1 << tr) & 3951) && ((1 << tq) & 395)) -> DO_TAKE_BACK : /* take-back */ \
  ((((1 << sq) & 65) && ((1 << sr) & 8) && ((1 << tr) & 4) && ((1 << tq) & 256)) -> DO_GO : /* go-again */ \
  ((((1 << sq) & 64) && ((1 << sr) & 8) && ((1 << tr) & 4) && ((1 << tq) & 128)) -> DO_WAIT : /* go-when-loaded */ \
  ((((1 << sq) & 64) && ((1 << sr) & 8) && ((1 << tr) & 12) && ((1 << tq) & 1)) -> DO_REVOKE_TARGET : /* released-target-died */ \
  ((((1 << sq) & 72) && ((1 << sr) & 8) && ((1 << tr) & 32) && ((1 << tq) & 1)) -> DO_TAKE_BACK : /* released-never-ran */ \
  ((((1 << sq) & 72) && ((1 << sr) & 8) && ((1 << tr) & 64) && ((1 << tq) & 1)) -> DO_START_FROM_DISK_ON_SOURCE : /* released-maybe-ran */ \
  ((((1 << sq) & 1) && ((1 << sr) & 8) && ((1 << tr) & 12) && ((1 << tq) & 1)) -> DO_START_FROM_DISK_ON_TARGET : /* released-both-gone */ \
  ((((1 << sq) & 65) && ((1 << sr) & 8) && ((1 << tr) & 2048) && ((1 << tq) & 1)) -> DO_START_FROM_DISK_ON_SOURCE : /* target-fenced */ \
  ((((1 << sq) & 1) && ((1 << sr) & 6) && ((1 << tr) & 2048) && ((1 << tq) & 1)) -> DO_START_FROM_DISK_ON_SOURCE : /* target-fenced-source-gone */ \
  ((((1 << sq) & 1) && ((1 << sr) & 6) && ((1 << tr) & 14) && ((1 << tq) & 395)) -> DO_REVOKE_TARGET : /* source-died */ \
  ((((1 << sq) & 1) && ((1 << sr) & 2) && ((1 << tr) & 1) && ((1 << tq) & 393)) -> DO_REVOKE_TARGET : /* source-died-before-prepare */ \
  ((((1 << sq) & 1) && ((1 << sr) & 14) && ((1 << tr) & 96) && ((1 << tq) & 1)) -> DO_START_FROM_DISK_ON_SOURCE : /* source-died-revoked */ \
  ((((1 << sq) & 72) && ((1 << sr) & 16) && ((1 << tq) & 507)) -> DO_CONT_ON_SOURCE : /* taken-back */ \
  ((((1 << sq) & 77) && ((1 << sr) & 16) && ((1 << tr) & 14) && ((1 << tq) & 395)) -> DO_REVOKE_TARGET : /* taken-back-leftover */ \
  ((((1 << sq) & 1) && ((1 << sr) & 16) && ((1 << tq) & 507)) -> DO_START_FROM_DISK_ON_SOURCE : /* taken-back-not-started */ \
  ((((1 << sq) & 77) && ((1 << sr) & 16)) -> DO_SETTLED : /* taken-back-settled */ \
  ((((1 << sq) & 13) && ((1 << sr) & 1) && ((1 << tr) & 1121) && ((1 << tq) & 3)) -> DO_SETTLED : /* not-claimed */ \
  DO_NEEDS_EVIDENCE)))))))))))))))))))))))))))))))))))))))))))))))
