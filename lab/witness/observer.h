/* What the observer knows about each guest. Every list is a ring of fixed size: nothing grows with time. */
#ifndef KEDGE_OBSERVER_H
#define KEDGE_OBSERVER_H

#include "wire.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define MILLISECOND 1000000ll
#define GAP_FLOOR_NS (30 * MILLISECOND)

enum { GAPS = 128, BOOTS = 16, MARKS = 64, TICK_RING = 1024, LABEL = 48, SPACINGS = 6, LAG_TICKS = 16 };

struct gap {
  int64_t ended_ns;       /* wall clock of the arrival that ended it */
  int64_t length_ns;
  int64_t guest_clock_ns; /* how far the guest's own clock went meanwhile: near 0 = the guest stood still; -1 = unknown */
  uint64_t tick;
};

struct gap_log {
  uint64_t count;
  struct gap longest;
  struct gap ring[GAPS];
};

/*
 * How far arrivals are behind the guest's clock, over some ticks in a row. One datagram may be held back (and is then sent with
 * an old clock), so only the least lag of several counts: it rises for good when the guest was stopped.
 */
struct lag {
  uint32_t ticks;
  int64_t least_ns;
  struct gap longest_gap;
};

struct boot {
  uint64_t nonce;
  int64_t first_seen_ns, last_seen_ns;
  uint64_t first_tick, last_tick;
  uint64_t journal_first, journal_acked;
};

struct mark {
  int64_t at_ns;
  uint64_t tick;
  char label[LABEL];
};

struct guest {
  uint32_t vmid, tick_ms;
  struct in_addr address;
  /* Kept over a reset of the measuring interval. */
  struct boot boots[BOOTS]; /* the newest stands at (boot_count - 1) % BOOTS */
  uint64_t boot_count;
  struct { uint64_t tick, clock_ns; } seen[TICK_RING];
  uint64_t high_tick, high_clock_ns;
  int64_t last_arrival_ns, last_reply_ns, last_life_ns;
  uint64_t ping_seq;
  struct tick_packet latest;
  /* The measuring interval. */
  int64_t started_ns;
  uint64_t first_tick;
  uint64_t received, missing, duplicates, reordered, counter_regressions, reboots;
  uint64_t regressions, alternations;
  int64_t regressed_ns;           /* newest regression; 0 = none */
  uint64_t other_tick;            /* where the other runner stood at the newest regression; 0 = none */
  struct { int64_t at_ns; uint64_t tick, after; } first_regression;
  struct lag lag, previous_lag;
  int64_t longest_stop_ns;        /* longest time that the guest's own clock stood still */
  struct gap longest_stop;        /* the gap around it */
  uint64_t spacing[SPACINGS];
  struct gap_log gaps, ping_gaps;
  uint64_t ping_sent, ping_received;
  int64_t longest_round_trip_ns;
  struct mark marks[MARKS];
  uint64_t mark_count;
};

/* observer-track.c: the judgement; no sockets, no clock */
bool is_tick(const struct tick_packet *packet, size_t length);
void start_interval(struct guest *guest, int64_t now_ns);
void track_tick(struct guest *guest, const struct tick_packet *packet, int64_t at_ns);
void track_reply(struct guest *guest, int64_t at_ns, int64_t round_trip_ns);
void mark_guest(struct guest *guest, const char *label, int64_t now_ns);
extern const int spacing_limits_ms[SPACINGS - 1];

/* observer-json.c: newline JSON in and out */
struct request {
  char op[16], label[LABEL], command[128], id[40];
  uint32_t vmid, timeout_ms;
};
struct observer_facts {
  int64_t started_ns;
  uint64_t restarts, rejected;
};
bool parse_request(const char *line, struct request *request);
void print_report(FILE *out, const struct guest *guest, const struct observer_facts *observer, int64_t now_ns);
void print_summary(FILE *out, const struct guest *guest, int64_t now_ns);

#endif
