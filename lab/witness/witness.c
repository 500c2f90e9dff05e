/*
 * The witness: the only program of a lab guest. It makes the guest's life visible from outside, so that anyone can judge
 * whether a migration lost memory, disk writes or time. It runs as PID 1 of a VM (parameters from the kernel command line)
 * as PID 1 of a container (`witness witness.container=1 …`), or as a plain process (the same words as arguments, e.g.
 * `witness witness.vmid=101 witness.observer=127.0.0.1:7001`).
 *
 *   thread    priority  does
 *   tick      FIFO 50   one UDP datagram every tick_ms to the observer; never waits for anything else
 *   journal   FIFO 30   one record every 50 ms, fdatasync, then the sequence number counts as acknowledged
 *   command   FIFO 20   answers the observer's questions on UDP port 7002
 *   memory    normal    dirties and verifies pages, in slices of about a millisecond
 */
#define _GNU_SOURCE
#include "witness.h"

#include <errno.h>
#include <linux/reboot.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/reboot.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

struct config config = {
    .interface = "eth0",
    .prefix = 23,
    .gateway = "10.90.2.1",
    .working_set = 64ull << 20,
    .dirty_rate = 0,
    .verify_rate = 8ull << 20,
    .tick_ms = 5,
    .journal_ms = 50,
    .journal_size = 64ull << 20,
};
uint64_t boot_nonce;

static void read_parameters(char *text);
static void make_nonce(void);
static void *run_shell(void *unused);
static bool is_container(int argc, char **argv);
static void wait_for_halt(void);

int main(int argc, char **argv) {
  bool is_init = getpid() == 1 && !is_container(argc, argv);
  if (is_init) {
    boot_guest();
    static char line[4096];
    FILE *file = fopen("/proc/cmdline", "r");
    if (file == NULL || fgets(line, sizeof line, file) == NULL) say("cannot read /proc/cmdline: %s", strerror(errno));
    if (file != NULL) fclose(file);
    read_parameters(line);
    load_drivers();
  }
  for (int i = 1; i < argc; i++) read_parameters(argv[i]);
  if (config.vmid == 0) {
    say("cannot start: witness.vmid is missing");
    if (!is_init) return 2;
  }
  if (config.observer[0] == 0) snprintf(config.observer, sizeof config.observer, "%s:%d", config.gateway, 7001);
  make_nonce();
  if (is_init) configure_network();
  if (config.container) {
    /* Before any thread: they inherit the mask, so that the signal waits for the main thread. */
    sigset_t halt;
    sigemptyset(&halt);
    sigaddset(&halt, SIGPWR);
    sigaddset(&halt, SIGTERM);
    sigprocmask(SIG_BLOCK, &halt, NULL);
  }
  reserve_memory();
  start_thread(send_ticks, 50, "tick");
  start_thread(answer_commands, 20, "command");
  if (config.journal[0] != 0) start_thread(write_journal, 30, "journal");
  start_thread(exercise_memory, 0, "memory");
  if (is_init) start_thread(watch_power_button, 10, "power");
  if (is_init && config.shell) start_thread(run_shell, 0, "shell");
  if (config.container) wait_for_halt();
  for (;;) pause();
}

/* Known before the parameters are read: a VM's come from a file that must be mounted first. */
static bool is_container(int argc, char **argv) {
  for (int i = 1; i < argc; i++) {
    if (strcmp(argv[i], "witness.container=1") == 0) return true;
  }
  return false;
}

/* LXC asks by SIGPWR; with PID 1 the whole container ends. */
static void wait_for_halt(void) {
  sigset_t halt;
  int signal;
  sigemptyset(&halt);
  sigaddset(&halt, SIGPWR);
  sigaddset(&halt, SIGTERM);
  while (sigwait(&halt, &signal) != 0) continue;
  sync();
  exit(0);
}

/* Reads a size like 256M, 20M or 1048576 (bytes). */
static uint64_t size_of(const char *text) {
  char *end;
  uint64_t value = strtoull(text, &end, 10);
  if (*end == 'K' || *end == 'k') return value << 10;
  if (*end == 'M' || *end == 'm') return value << 20;
  if (*end == 'G' || *end == 'g') return value << 30;
  return value;
}

static void read_parameter(const char *name, const char *value) {
  if (strcmp(name, "vmid") == 0) config.vmid = (uint32_t)strtoul(value, NULL, 10);
  else if (strcmp(name, "ip") == 0) {
    const char *slash = strchr(value, '/');
    snprintf(config.ip, sizeof config.ip, "%.*s", slash ? (int)(slash - value) : 15, value);
    if (slash) config.prefix = atoi(slash + 1);
  } else if (strcmp(name, "gateway") == 0) snprintf(config.gateway, sizeof config.gateway, "%s", value);
  else if (strcmp(name, "observer") == 0) snprintf(config.observer, sizeof config.observer, "%s", value);
  else if (strcmp(name, "bind") == 0) snprintf(config.bind, sizeof config.bind, "%s", value);
  else if (strcmp(name, "interface") == 0) snprintf(config.interface, sizeof config.interface, "%s", value);
  else if (strcmp(name, "working_set") == 0) config.working_set = size_of(value);
  else if (strcmp(name, "dirty_rate") == 0) config.dirty_rate = size_of(value);
  else if (strcmp(name, "verify_rate") == 0) config.verify_rate = size_of(value);
  else if (strcmp(name, "tick_ms") == 0) config.tick_ms = (uint32_t)size_of(value);
  else if (strcmp(name, "journal") == 0) snprintf(config.journal, sizeof config.journal, "%s", value);
  else if (strcmp(name, "journal_ms") == 0) config.journal_ms = (uint32_t)size_of(value);
  else if (strcmp(name, "journal_size") == 0) config.journal_size = size_of(value);
  else if (strcmp(name, "container") == 0) config.container = value[0] == '1';
  else if (strcmp(name, "shell") == 0) config.shell = value[0] == '1';
  else say("unknown parameter witness.%s", name);
}

static void read_parameters(char *text) {
  char *state = NULL;
  for (char *word = strtok_r(text, " \n", &state); word != NULL; word = strtok_r(NULL, " \n", &state)) {
    char *equals = strchr(word, '=');
    if (strncmp(word, "witness.", 8) != 0 || equals == NULL) continue;
    *equals = 0;
    read_parameter(word + 8, equals + 1);
  }
  if (config.tick_ms == 0) config.tick_ms = 5;
  if (config.journal_ms == 0) config.journal_ms = 50;
}

/* The kernel's pool may still be empty this early, and waiting for it costs seconds: clocks make the nonce unique too. */
static void make_nonce(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (getrandom(&boot_nonce, sizeof boot_nonce, GRND_INSECURE) != sizeof boot_nonce) boot_nonce = 0;
  boot_nonce ^= ((uint64_t)now.tv_sec << 30) ^ (uint64_t)now.tv_nsec ^ (__rdtsc() << 17);
  if (boot_nonce == 0) boot_nonce = 1;
}

uint64_t clock_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

void sleep_until(uint64_t when_ns) {
  struct timespec when = {.tv_sec = (time_t)(when_ns / 1000000000ull), .tv_nsec = (long)(when_ns % 1000000000ull)};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, NULL) == EINTR) continue;
}

void say(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fprintf(stderr, "witness: ");
  vfprintf(stderr, format, arguments);
  fprintf(stderr, "\n");
  va_end(arguments);
}

static void *run_shell(void *unused) {
  (void)unused;
  for (;;) {
    if (system("exec /bin/busybox sh -l </dev/ttyS0 >/dev/ttyS0 2>&1") == -1) say("cannot start a shell: %s", strerror(errno));
    sleep(1);
  }
  return NULL;
}

void start_thread(void *(*body)(void *), int fifo_priority, const char *name) {
  pthread_attr_t attributes;
  pthread_t thread;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 256 << 10);
  if (fifo_priority > 0 && geteuid() == 0) {
    struct sched_param parameter = {.sched_priority = fifo_priority};
    pthread_attr_setinheritsched(&attributes, PTHREAD_EXPLICIT_SCHED);
    pthread_attr_setschedpolicy(&attributes, SCHED_FIFO);
    pthread_attr_setschedparam(&attributes, &parameter);
  }
  int failure = pthread_create(&thread, &attributes, body, NULL);
  if (failure == EPERM) failure = pthread_create(&thread, NULL, body, NULL);
  if (failure != 0) say("cannot start thread %s: %s", name, strerror(failure));
  else pthread_setname_np(thread, name);
}

void power_off(int how) {
  sync();
  if (getpid() == 1) {
    take_network_down();
    reboot(how);
  }
  exit(0);
}
