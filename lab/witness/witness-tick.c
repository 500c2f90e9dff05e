/* The tick: one datagram per period, numbered, carrying everything that the observer judges by. */
#include "wire.h"
#include "witness.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct tick_facts tick_facts;

static struct sockaddr_in observer_address(void);

void *send_ticks(void *unused) {
  (void)unused;
  struct sockaddr_in observer = observer_address();
  int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (config.bind[0] != 0) {
    struct sockaddr_in own = {.sin_family = AF_INET};
    inet_pton(AF_INET, config.bind, &own.sin_addr);
    if (bind(descriptor, (struct sockaddr *)&own, sizeof own) != 0) say("cannot bind %s: %s", config.bind, strerror(errno));
  }
  uint64_t period = config.tick_ms * 1000000ull, next = clock_ns(), previous = 0;
  struct tick_packet packet = {
      .magic = TICK_MAGIC, .version = TICK_VERSION, .size = sizeof packet, .vmid = config.vmid, .tick_ms = config.tick_ms, .nonce = boot_nonce};
  for (;;) {
    sleep_until(next);
    uint64_t now = clock_ns();
    packet.tick = ++tick_facts.ticks;
    packet.clock_ns = now;
    packet.journal_first = journal_facts.first;
    packet.journal_acked = journal_facts.acked;
    packet.journal_errors = journal_facts.errors;
    packet.pages_written = memory_facts.written;
    packet.pages_verified = memory_facts.verified;
    packet.verify_passes = memory_facts.passes;
    packet.memory_errors = memory_facts.errors;
    packet.crc = crc32_of(&packet, offsetof(struct tick_packet, crc));
    if (sendto(descriptor, &packet, sizeof packet, MSG_DONTWAIT, (struct sockaddr *)&observer, sizeof observer) < 0) tick_facts.send_errors++;
    if (previous != 0 && now - previous > tick_facts.longest_ns) tick_facts.longest_ns = now - previous;
    if (previous != 0 && now - previous > 2 * period) tick_facts.late++;
    previous = now;
    next += period;
    /* A late tick is not followed by a burst: the observer must see the pause as it was. */
    if (next <= now) next = now + period;
  }
  return NULL;
}

static struct sockaddr_in observer_address(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(TICK_PORT)};
  char text[sizeof config.observer];
  memcpy(text, config.observer, sizeof text);
  char *colon = strchr(text, ':');
  if (colon != NULL) {
    *colon = 0;
    address.sin_port = htons((uint16_t)atoi(colon + 1));
  }
  if (inet_pton(AF_INET, text, &address.sin_addr) != 1) say("bad observer address %s", config.observer);
  return address;
}
