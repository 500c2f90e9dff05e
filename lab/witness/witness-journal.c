/*
 * The journal: a ring of numbered records on the guest's disk. A sequence number is acknowledged (and told to the observer in
 * every tick) only after fdatasync returned, so every acknowledged record must be on the disk, wherever the guest runs later.
 */
#define _GNU_SOURCE
#include "wire.h"
#include "witness.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

struct journal_facts journal_facts;

static int open_journal(uint64_t *slots);
static uint64_t newest_on_disk(int descriptor, uint64_t slots);

void *write_journal(void *unused) {
  (void)unused;
  uint64_t slots = 0;
  int descriptor = open_journal(&slots);
  if (descriptor < 0) {
    journal_facts.errors++;
    return NULL;
  }
  uint64_t seq = newest_on_disk(descriptor, slots) + 1;
  journal_facts.slots = slots;
  journal_facts.first = seq;
  struct journal_record *record = aligned_alloc(4096, 4096);
  uint64_t next = clock_ns();
  for (;;) {
    memset(record, 0, sizeof *record);
    record->magic = JOURNAL_MAGIC;
    record->version = JOURNAL_VERSION;
    record->size = JOURNAL_RECORD;
    record->vmid = config.vmid;
    record->slots = (uint32_t)slots;
    record->nonce = boot_nonce;
    record->seq = seq;
    record->first = journal_facts.first;
    record->tick = tick_facts.ticks;
    record->clock_ns = clock_ns();
    record->pages_written = memory_facts.written;
    for (size_t i = 0; i < sizeof record->filler; i++) record->filler[i] = (uint8_t)(seq * 31 + i);
    record->crc = crc32_of(record, offsetof(struct journal_record, crc));
    uint64_t started = clock_ns();
    bool written = pwrite(descriptor, record, JOURNAL_RECORD, (off_t)((seq - 1) % slots * JOURNAL_RECORD)) == JOURNAL_RECORD;
    if (written && fdatasync(descriptor) == 0) {
      uint64_t took = clock_ns() - started;
      if (took > journal_facts.slowest_sync_ns) journal_facts.slowest_sync_ns = took;
      journal_facts.acked = seq++;
    } else {
      if (journal_facts.errors++ == 0) say("cannot write journal record %llu: %s", (unsigned long long)seq, strerror(errno));
    }
    next += config.journal_ms * 1000000ull;
    uint64_t now = clock_ns();
    if (next <= now) next = now + config.journal_ms * 1000000ull;
    sleep_until(next);
  }
  return NULL;
}

static int open_journal(uint64_t *slots) {
  struct stat info;
  bool is_device = strncmp(config.journal, "/dev/", 5) == 0;
  for (int i = 0; is_device && i < 500 && stat(config.journal, &info) != 0; i++) usleep(10000); /* the driver may still probe */
  int flags = O_RDWR | O_CLOEXEC | (is_device ? 0 : O_CREAT);
  int descriptor = open(config.journal, flags | O_DIRECT, 0644);
  if (descriptor < 0 && errno == EINVAL) descriptor = open(config.journal, flags, 0644); /* tmpfs */
  if (descriptor < 0 || fstat(descriptor, &info) != 0) {
    say("cannot open journal %s: %s", config.journal, strerror(errno));
    return -1;
  }
  uint64_t bytes = config.journal_size;
  if (S_ISBLK(info.st_mode)) {
    uint64_t size = 0;
    if (ioctl(descriptor, BLKGETSIZE64, &size) == 0 && size < bytes) bytes = size;
  } else if ((uint64_t)info.st_size < bytes && ftruncate(descriptor, (off_t)bytes) != 0) {
    say("cannot size journal %s: %s", config.journal, strerror(errno));
    return -1;
  }
  *slots = bytes / JOURNAL_RECORD;
  if (*slots < 16) {
    say("cannot use journal %s: too small", config.journal);
    return -1;
  }
  return descriptor;
}

/* Looks at every record, not only until the first bad one: a damaged record must not make this boot overwrite good ones. */
static uint64_t newest_on_disk(int descriptor, uint64_t slots) {
  enum { CHUNK = 1 << 20 };
  uint8_t *chunk = aligned_alloc(4096, CHUNK);
  uint64_t newest = 0;
  for (uint64_t offset = 0; offset < slots * JOURNAL_RECORD; offset += CHUNK) {
    ssize_t length = pread(descriptor, chunk, CHUNK, (off_t)offset);
    if (length <= 0) break;
    for (ssize_t at = 0; at + JOURNAL_RECORD <= length; at += JOURNAL_RECORD) {
      struct journal_record *record = (struct journal_record *)(chunk + at);
      if (record->magic != JOURNAL_MAGIC || record->seq <= newest) continue;
      if (record->crc == crc32_of(record, offsetof(struct journal_record, crc))) newest = record->seq;
    }
  }
  free(chunk);
  return newest;
}
