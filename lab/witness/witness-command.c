/*
 * The commands: a datagram `<id> <command>` to UDP port 7002 is answered by `<id> <JSON>`. The asker repeats a datagram until it
 * is answered, so the newest answers are kept by id: a repeated command is answered again, never done again.
 */
#include "wire.h"
#include "witness.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/reboot.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <unistd.h>

enum { KEPT = 16, ANSWER = 1200, ID = 40 };

struct exchange {
  char id[ID], answer[ANSWER];
  struct sockaddr_in asker;
  enum { FREE, VERIFYING, ANSWERED } state;
};
static struct exchange exchanges[KEPT];
static unsigned newest;

static void obey(struct exchange *exchange, const char *command);
static void finish_verify(struct exchange *exchange);
static void send_answer(int descriptor, const struct exchange *exchange);
static struct exchange *known(const char *id);

void *answer_commands(void *unused) {
  (void)unused;
  int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons(COMMAND_PORT)};
  if (config.bind[0] != 0) inet_pton(AF_INET, config.bind, &own.sin_addr);
  if (bind(descriptor, (struct sockaddr *)&own, sizeof own) != 0) {
    say("cannot bind port %d: %s", COMMAND_PORT, strerror(errno));
    return NULL;
  }
  for (;;) {
    struct pollfd ready = {.fd = descriptor, .events = POLLIN};
    bool verifying = false;
    for (int i = 0; i < KEPT; i++) verifying |= exchanges[i].state == VERIFYING;
    poll(&ready, 1, verifying ? 20 : -1);
    for (int i = 0; verifying && i < KEPT; i++) {
      if (exchanges[i].state != VERIFYING) continue;
      finish_verify(&exchanges[i]);
      if (exchanges[i].state == ANSWERED) send_answer(descriptor, &exchanges[i]);
    }
    if ((ready.revents & POLLIN) == 0) continue;
    char text[256], id[ID];
    struct sockaddr_in asker;
    socklen_t length = sizeof asker;
    ssize_t size = recvfrom(descriptor, text, sizeof text - 1, 0, (struct sockaddr *)&asker, &length);
    if (size <= 0) continue;
    text[size] = 0;
    text[strcspn(text, "\n")] = 0;
    int used = 0;
    if (sscanf(text, "%39s %n", id, &used) != 1 || used == 0) continue;
    struct exchange *exchange = known(id);
    if (exchange == NULL) {
      exchange = &exchanges[newest++ % KEPT];
      memset(exchange, 0, sizeof *exchange);
      snprintf(exchange->id, sizeof exchange->id, "%s", id);
      exchange->asker = asker;
      obey(exchange, text + used);
    }
    exchange->asker = asker;
    if (exchange->state == ANSWERED) send_answer(descriptor, exchange);
  }
  return NULL;
}

static struct exchange *known(const char *id) {
  for (int i = 0; i < KEPT; i++) {
    if (exchanges[i].state != FREE && strcmp(exchanges[i].id, id) == 0) return &exchanges[i];
  }
  return NULL;
}

static void send_answer(int descriptor, const struct exchange *exchange) {
  char text[ANSWER + ID + 2];
  int length = snprintf(text, sizeof text, "%s %s", exchange->id, exchange->answer);
  sendto(descriptor, text, (size_t)length, 0, (const struct sockaddr *)&exchange->asker, sizeof exchange->asker);
}

static void print_status(FILE *out) {
  fprintf(out, "{\"ok\":true,\"vmid\":%u,\"nonce\":\"%016llx\",\"tick\":%llu,\"clockMs\":%.3f,\"lateTicks\":%llu,\"longestTickMs\":%.3f,\"sendErrors\":%llu,",
          config.vmid, (unsigned long long)boot_nonce, (unsigned long long)tick_facts.ticks, (double)clock_ns() / 1e6,
          (unsigned long long)tick_facts.late, (double)tick_facts.longest_ns / 1e6, (unsigned long long)tick_facts.send_errors);
  fprintf(out, "\"memory\":{\"pages\":%llu,\"ready\":%llu,\"dirtyRate\":%llu,\"measuredRate\":%llu,\"written\":%llu,\"verified\":%llu,\"passes\":%llu,\"errors\":%llu,\"firstError\":",
          (unsigned long long)memory_facts.pages, (unsigned long long)memory_facts.ready, (unsigned long long)memory_facts.dirty_rate,
          (unsigned long long)memory_facts.measured_rate, (unsigned long long)memory_facts.written, (unsigned long long)memory_facts.verified,
          (unsigned long long)memory_facts.passes, (unsigned long long)memory_facts.errors);
  print_first_error(out);
  fprintf(out, "},\"journal\":{\"first\":%llu,\"acked\":%llu,\"errors\":%llu,\"slots\":%llu,\"slowestSyncMs\":%.3f}}",
          (unsigned long long)journal_facts.first, (unsigned long long)journal_facts.acked, (unsigned long long)journal_facts.errors,
          (unsigned long long)journal_facts.slots, (double)journal_facts.slowest_sync_ns / 1e6);
}

static _Atomic int stop_how;

static void *stop_later(void *unused) {
  (void)unused;
  usleep(100000); /* lets the answer leave first */
  power_off(stop_how);
  return NULL;
}

static void obey(struct exchange *exchange, const char *command) {
  FILE *out = fmemopen(exchange->answer, ANSWER, "w");
  unsigned long long rate;
  exchange->state = ANSWERED;
  if (strcmp(command, "status") == 0) print_status(out);
  else if (strcmp(command, "verify") == 0) {
    if (start_full_pass()) exchange->state = VERIFYING;
    else fprintf(out, "{\"ok\":false,\"error\":\"the working set is not written yet\"}");
  } else if (strcmp(command, "corrupt memory") == 0) {
    uint64_t page;
    uint32_t offset;
    if (corrupt_memory(&page, &offset)) fprintf(out, "{\"ok\":true,\"page\":%llu,\"offset\":%u}", (unsigned long long)page, offset);
    else fprintf(out, "{\"ok\":false,\"error\":\"the working set is not written yet\"}");
  } else if (sscanf(command, "set dirty-rate %llu", &rate) == 1) {
    memory_facts.dirty_rate = rate;
    fprintf(out, "{\"ok\":true,\"dirtyRate\":%llu}", rate);
  } else if (strcmp(command, "poweroff") == 0 || strcmp(command, "reboot") == 0) {
    stop_how = command[0] == 'r' ? (int)LINUX_REBOOT_CMD_RESTART : (int)LINUX_REBOOT_CMD_POWER_OFF;
    start_thread(stop_later, 0, "stop");
    fprintf(out, "{\"ok\":true}");
  } else {
    fprintf(out, "{\"ok\":false,\"error\":\"unknown command; known: status, verify, corrupt memory, set dirty-rate <bytes/s>, poweroff, reboot\"}");
  }
  fclose(out);
}

static void finish_verify(struct exchange *exchange) {
  uint64_t checked, errors;
  if (!full_pass_done(&checked, &errors)) return;
  FILE *out = fmemopen(exchange->answer, ANSWER, "w");
  fprintf(out, "{\"ok\":true,\"pagesChecked\":%llu,\"errorsFound\":%llu,\"memoryErrors\":%llu,\"firstError\":", (unsigned long long)checked,
          (unsigned long long)errors, (unsigned long long)memory_facts.errors);
  print_first_error(out);
  fprintf(out, "}");
  fclose(out);
  exchange->state = ANSWERED;
}
