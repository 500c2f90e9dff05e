/*
 * What the observer concludes from ticks. Within one nonce each tick number is made once, at one moment of the guest's clock:
 *
 *   number not seen, ahead of all     normal; numbers left out are missing
 *   number seen, same clock           the datagram came twice (a flooding bridge, a ring sent again): harmless
 *   number not seen, behind, older    the datagram was late: harmless, if it is one that was missed, or of the beginning of a boot: a network that
 *                                     learns where the observer is holds the first ones back, and lets a newer one overtake them
 *   number seen, other clock          the guest lived through this tick twice: its memory was rolled back, or forked
 *
 * After such a regression the new sequence is followed. If the old one goes on as well, the two alternate: two runners.
 */
#include "observer.h"

#include <string.h>

enum { NEIGHBOUR_TICKS = 400 };
#define ALTERNATION_NS (1000 * MILLISECOND)
#define BEGINNING_NS (1000 * MILLISECOND)

const int spacing_limits_ms[SPACINGS - 1] = {6, 10, 20, 30, 100};

static void follow_nonce(struct guest *guest, const struct tick_packet *packet, int64_t at_ns);
static bool follow_sequence(struct guest *guest, const struct tick_packet *packet, int64_t at_ns);
static void note_arrival(struct guest *guest, const struct tick_packet *packet, int64_t at_ns);

bool is_tick(const struct tick_packet *packet, size_t length) {
  return length == sizeof *packet && packet->magic == TICK_MAGIC && packet->version == TICK_VERSION && packet->size == sizeof *packet &&
         packet->vmid != 0 && packet->tick != 0 && packet->crc == crc32_of(packet, offsetof(struct tick_packet, crc));
}

static struct boot *boot_at(struct guest *guest, uint64_t number) { return &guest->boots[number % BOOTS]; }

/* Forgets what was counted, not what was acknowledged: of the running boot the journal must still be complete. */
void start_interval(struct guest *guest, int64_t now_ns) {
  if (guest->boot_count > 0) {
    struct boot running = *boot_at(guest, guest->boot_count - 1);
    memset(guest->boots, 0, sizeof guest->boots);
    guest->boots[0] = running;
    guest->boot_count = 1;
  }
  memset(&guest->started_ns, 0, sizeof *guest - offsetof(struct guest, started_ns));
  guest->started_ns = now_ns;
}

void track_tick(struct guest *guest, const struct tick_packet *packet, int64_t at_ns) {
  guest->last_life_ns = at_ns;
  guest->tick_ms = packet->tick_ms;
  struct boot *running = guest->boot_count > 0 ? boot_at(guest, guest->boot_count - 1) : NULL;
  if (running == NULL || running->nonce != packet->nonce) follow_nonce(guest, packet, at_ns);
  else if (!follow_sequence(guest, packet, at_ns)) return;

  note_arrival(guest, packet, at_ns);
  guest->received++;
  if (guest->first_tick == 0) guest->first_tick = packet->tick;
  guest->seen[packet->tick % TICK_RING].tick = packet->tick;
  guest->seen[packet->tick % TICK_RING].clock_ns = packet->clock_ns;
  guest->high_tick = packet->tick;
  guest->high_clock_ns = packet->clock_ns;
  running = boot_at(guest, guest->boot_count - 1);
  running->last_seen_ns = at_ns;
  running->last_tick = packet->tick;
  if (packet->journal_first != 0) running->journal_first = packet->journal_first;
  if (packet->journal_acked > running->journal_acked) running->journal_acked = packet->journal_acked;
  guest->latest = *packet;
}

static void count_regression(struct guest *guest, const struct tick_packet *packet, int64_t at_ns) {
  if (guest->regressions++ == 0) {
    guest->first_regression.at_ns = at_ns;
    guest->first_regression.tick = packet->tick;
    guest->first_regression.after = guest->high_tick;
  }
  if (guest->regressed_ns != 0 && at_ns - guest->regressed_ns < ALTERNATION_NS) guest->alternations++;
  guest->regressed_ns = at_ns;
  guest->other_tick = guest->high_tick;
}

/* A new nonce is a reboot. One that was left already is an older self that runs again, or still. */
static void follow_nonce(struct guest *guest, const struct tick_packet *packet, int64_t at_ns) {
  uint64_t oldest = guest->boot_count > BOOTS ? guest->boot_count - BOOTS : 0;
  bool returned = false;
  struct boot boot = {.nonce = packet->nonce, .first_seen_ns = at_ns, .first_tick = packet->tick};
  for (uint64_t i = oldest; i < guest->boot_count; i++) {
    if (boot_at(guest, i)->nonce != packet->nonce) continue;
    returned = true;
    boot = *boot_at(guest, i);
    /* Takes its place at the end, so that the list keeps one entry a nonce. */
    for (uint64_t j = i; j + 1 < guest->boot_count; j++) *boot_at(guest, j) = *boot_at(guest, j + 1);
    guest->boot_count--;
    break;
  }
  if (returned) count_regression(guest, packet, at_ns);
  else if (guest->boot_count > 0) guest->reboots++;
  *boot_at(guest, guest->boot_count) = boot;
  guest->boot_count++;
  memset(guest->seen, 0, sizeof guest->seen);
  guest->other_tick = 0;
}

/* False for datagrams that say nothing new. */
static bool follow_sequence(struct guest *guest, const struct tick_packet *packet, int64_t at_ns) {
  uint64_t tick = packet->tick, high = guest->high_tick;
  if (tick > high) {
    bool other_runner = guest->other_tick != 0 && tick > high + 1 && tick > guest->other_tick && tick <= guest->other_tick + NEIGHBOUR_TICKS;
    if (other_runner) {
      guest->alternations++;
      guest->missing += tick - guest->other_tick - 1;
      guest->other_tick = high;
    } else if (guest->last_arrival_ns != 0) {
      guest->missing += tick - high - 1;
    }
    bool fell = packet->pages_written < guest->latest.pages_written || packet->pages_verified < guest->latest.pages_verified ||
                packet->journal_acked < guest->latest.journal_acked || packet->clock_ns < guest->latest.clock_ns;
    if (fell) guest->counter_regressions++;
    return true;
  }
  bool in_ring = high - tick < TICK_RING, seen = guest->seen[tick % TICK_RING].tick == tick;
  if (in_ring && seen && guest->seen[tick % TICK_RING].clock_ns == packet->clock_ns) {
    guest->duplicates++;
    return false;
  }
  const struct boot *running = boot_at(guest, guest->boot_count - 1);
  bool of_beginning = tick < running->first_tick && at_ns - running->first_seen_ns < BEGINNING_NS;
  if (in_ring && !seen && packet->clock_ns < guest->high_clock_ns && (guest->missing > 0 || of_beginning)) {
    guest->seen[tick % TICK_RING].tick = tick;
    guest->seen[tick % TICK_RING].clock_ns = packet->clock_ns;
    if (!of_beginning) guest->missing--;
    guest->reordered++;
    guest->received++;
    return false;
  }
  count_regression(guest, packet, at_ns);
  return true;
}

static void note_gap(struct gap_log *log, struct gap gap) {
  if (gap.length_ns > log->longest.length_ns) log->longest = gap;
  if (gap.length_ns >= GAP_FLOOR_NS) log->ring[log->count++ % GAPS] = gap;
}

/*
 * A vCPU that waits for its host goes on counting time; one that was stopped, as in a migration, does not. A stop inside one row of
 * ticks, or between two, shows as the difference of their least lags once the second is complete.
 */
static void note_lag(struct guest *guest, const struct gap *gap, int64_t lag_ns) {
  struct lag *lag = &guest->lag, *previous = &guest->previous_lag;
  if (lag->ticks == 0 || lag_ns < lag->least_ns) lag->least_ns = lag_ns;
  if (gap->length_ns > lag->longest_gap.length_ns) lag->longest_gap = *gap;
  if (++lag->ticks < LAG_TICKS) return;
  int64_t stop = lag->least_ns - previous->least_ns;
  if (previous->ticks > 0 && stop > guest->longest_stop_ns) {
    guest->longest_stop_ns = stop;
    guest->longest_stop = lag->longest_gap.length_ns > previous->longest_gap.length_ns ? lag->longest_gap : previous->longest_gap;
  }
  *previous = *lag;
  *lag = (struct lag){0};
}

static void note_arrival(struct guest *guest, const struct tick_packet *packet, int64_t at_ns) {
  struct gap gap = {.ended_ns = at_ns, .tick = packet->tick, .guest_clock_ns = -1};
  bool same_boot = guest->latest.nonce == packet->nonce && packet->clock_ns > guest->latest.clock_ns;
  if (guest->last_arrival_ns != 0 && at_ns > guest->last_arrival_ns) {
    gap.length_ns = at_ns - guest->last_arrival_ns;
    if (same_boot) gap.guest_clock_ns = (int64_t)(packet->clock_ns - guest->latest.clock_ns);
    note_gap(&guest->gaps, gap);
    int bucket = 0;
    while (bucket < SPACINGS - 1 && gap.length_ns > spacing_limits_ms[bucket] * MILLISECOND) bucket++;
    guest->spacing[bucket]++;
  }
  if (!same_boot) guest->lag = guest->previous_lag = (struct lag){0};
  note_lag(guest, &gap, at_ns - (int64_t)packet->clock_ns);
  guest->last_arrival_ns = at_ns;
}

void track_reply(struct guest *guest, int64_t at_ns, int64_t round_trip_ns) {
  guest->last_life_ns = at_ns;
  guest->ping_received++;
  if (round_trip_ns > guest->longest_round_trip_ns) guest->longest_round_trip_ns = round_trip_ns;
  if (guest->last_reply_ns != 0) {
    note_gap(&guest->ping_gaps, (struct gap){.ended_ns = at_ns, .length_ns = at_ns - guest->last_reply_ns, .guest_clock_ns = -1, .tick = guest->high_tick});
  }
  guest->last_reply_ns = at_ns;
}

void mark_guest(struct guest *guest, const char *label, int64_t now_ns) {
  struct mark *mark = &guest->marks[guest->mark_count++ % MARKS];
  mark->at_ns = now_ns;
  mark->tick = guest->high_tick;
  snprintf(mark->label, sizeof mark->label, "%s", label);
}
