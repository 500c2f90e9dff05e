/* The parts of the witness and what they share. Each part runs one thread; shared numbers are atomics. */
#ifndef KEDGE_WITNESS_H
#define KEDGE_WITNESS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct config {
  uint32_t vmid;
  char interface[16];
  char ip[16];
  int prefix;
  char gateway[16];
  char observer[32]; /* address:port */
  char bind[16];     /* address of the command port: all, unless several witnesses share a host */
  uint64_t working_set;
  uint64_t dirty_rate;  /* bytes/s */
  uint64_t verify_rate; /* bytes/s */
  uint32_t tick_ms;
  uint32_t journal_ms;
  uint64_t journal_size;
  char journal[128]; /* device or file; empty = none */
  bool shell;
  bool container; /* PID 1 of a container: LXC has mounted, connected and named everything */
};

/* witness.c */
extern struct config config;
extern uint64_t boot_nonce;
uint64_t clock_ns(void);
void sleep_until(uint64_t when_ns);
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
void start_thread(void *(*body)(void *), int fifo_priority, const char *name);
void power_off(int how);

/* witness-boot.c: what an init must do when the witness is PID 1 */
void boot_guest(void);
void load_drivers(void);
void configure_network(void);
void take_network_down(void);
void *watch_power_button(void *unused);

/* witness-tick.c */
struct tick_facts {
  _Atomic uint64_t ticks;
  _Atomic uint64_t late;        /* ticks sent more than two periods after the one before */
  _Atomic uint64_t longest_ns;  /* longest distance of two ticks on the guest's own clock */
  _Atomic uint64_t send_errors;
};
extern struct tick_facts tick_facts;
void *send_ticks(void *unused);

/* witness-memory.c */
struct memory_facts {
  _Atomic uint64_t pages, ready;
  _Atomic uint64_t written, verified, passes, errors;
  _Atomic uint64_t dirty_rate;
  _Atomic uint64_t measured_rate; /* bytes/s written over the last second */
};
extern struct memory_facts memory_facts;
void reserve_memory(void);
void *exercise_memory(void *unused);
bool start_full_pass(void);                   /* false: the working set is not written yet */
bool full_pass_done(uint64_t *checked, uint64_t *errors);
bool corrupt_memory(uint64_t *page, uint32_t *offset);
void print_first_error(FILE *out);            /* JSON value */

/* witness-journal.c */
struct journal_facts {
  _Atomic uint64_t first, acked, errors, slots;
  _Atomic uint64_t slowest_sync_ns;
};
extern struct journal_facts journal_facts;
void *write_journal(void *unused);

/* witness-command.c */
void *answer_commands(void *unused);

#endif
