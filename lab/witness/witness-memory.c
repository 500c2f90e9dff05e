/*
 * The memory: a working set of pages whose every byte follows from (boot nonce, page index, version). The versions that each
 * page must have stand in a table apart, so that a page which stayed behind, came twice or was damaged is recognised. Pages are
 * checked before they are overwritten, so that the writer never heals what a migration broke; a damaged page is counted once.
 */
#include "witness.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGE = 4096, WORDS = PAGE / 8, SLICE = 16, FULL_SLICE = 64 };
/* Linux flushes the whole TLB, not page by page, from 34 pages on (tlb_single_page_flush_ceiling). */
enum { FLUSH_PAGES = 40, FLUSH_EVERY_NS = 5000000 };

struct memory_facts memory_facts;

static uint64_t *pages;
static uint32_t *versions; /* 0 = not yet written in this boot */
static uint64_t page_count;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static struct {
  uint64_t page, found, expected, tick;
  uint32_t offset, version;
} first_error;

/* One full pass at a time: wanted by the command thread, done by the memory thread. */
static struct {
  bool wanted;
  uint64_t next, errors, passes;
} full;

static void flush_tlb(void);
static void write_page(uint64_t index, uint32_t version);
static bool check_page(uint64_t index);
static void check_sum(void);

void reserve_memory(void) {
  page_count = config.working_set / PAGE;
  uint64_t room = (uint64_t)sysconf(_SC_AVPHYS_PAGES);
  uint64_t spare = (24ull << 20) / PAGE;
  if (getpid() == 1 && page_count + spare > room) {
    page_count = room > spare ? room - spare : 0;
    say("working set cut to %llu MiB: the guest has no more memory", (unsigned long long)(page_count * PAGE >> 20));
  }
  if (page_count == 0) return;
  pages = mmap(NULL, page_count * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  versions = calloc(page_count, sizeof *versions);
  if (pages == MAP_FAILED || versions == NULL) {
    say("cannot reserve the working set");
    page_count = 0;
  }
  memory_facts.pages = page_count;
  memory_facts.dirty_rate = config.dirty_rate;
}

/* A stride coprime to the page count visits every page once a round, scattered over the working set. */
static uint64_t stride_of(uint64_t count) {
  uint64_t stride = count * 618 / 1000 | 1;
  for (;; stride += 2) {
    uint64_t a = count, b = stride;
    while (b != 0) {
      uint64_t rest = a % b;
      a = b;
      b = rest;
    }
    if (a == 1) return stride;
  }
}

static uint64_t credit_after(uint64_t credit, uint64_t rate, uint64_t elapsed_ns) {
  uint64_t most = rate / 4 + 2 * PAGE; /* what was missed for more than a quarter second is not caught up */
  credit += (uint64_t)((double)rate * (double)elapsed_ns / 1e9);
  return credit < most ? credit : most;
}

void *exercise_memory(void *unused) {
  (void)unused;
  if (page_count == 0) return NULL;
  for (uint64_t i = 0; i < page_count; i++) {
    write_page(i, 1);
    memory_facts.ready = i + 1;
  }
  uint64_t stride = stride_of(page_count), dirty_at = 0, verify_at = 0, dirty_credit = 0, verify_credit = 0;
  uint64_t previous = clock_ns(), second = previous, flushed = previous, written_before = 0;
  for (;;) {
    uint64_t now = clock_ns();
    dirty_credit = credit_after(dirty_credit, memory_facts.dirty_rate, now - previous);
    verify_credit = credit_after(verify_credit, config.verify_rate, now - previous);
    previous = now;
    if (now - flushed >= FLUSH_EVERY_NS) {
      flush_tlb();
      flushed = now;
    }
    if (now - second >= 1000000000ull) {
      memory_facts.measured_rate = (uint64_t)((double)(memory_facts.written - written_before) * PAGE * 1e9 / (double)(now - second));
      written_before = memory_facts.written;
      second = now;
    }
    pthread_mutex_lock(&lock);
    for (int i = 0; i < SLICE && dirty_credit >= PAGE; i++, dirty_credit -= PAGE) {
      check_page(dirty_at);
      write_page(dirty_at, versions[dirty_at] + 1);
      memory_facts.written++;
      dirty_at = (dirty_at + stride) % page_count;
    }
    for (int i = 0; i < SLICE && verify_credit >= PAGE; i++, verify_credit -= PAGE) {
      check_page(verify_at);
      if (++verify_at == page_count) {
        verify_at = 0;
        check_sum();
        memory_facts.passes++;
      }
    }
    for (int i = 0; i < FULL_SLICE && full.wanted; i++) {
      if (!check_page(full.next)) full.errors++;
      if (++full.next < page_count) continue;
      check_sum();
      memory_facts.passes++;
      full.passes++;
      full.wanted = false;
    }
    bool busy = full.wanted || dirty_credit >= PAGE || verify_credit >= PAGE;
    pthread_mutex_unlock(&lock);
    if (!busy) sleep_until(clock_ns() + 1000000);
  }
  return NULL;
}

/*
 * Makes the processor forget its translations, as it does all the time in a system where processes take turns; alone, this one would keep
 * those of its table for minutes. An emulated processor that was misled about a page by a race in QEMU (decision 0006) writes on unseen
 * until it forgets. The race is QEMU's, no migration tool can close it; but a witness that held on to it longer than any usual guest would
 * accuse the tool. What stays lost is still found.
 */
static void flush_tlb(void) {
  static uint8_t *area;
  if (area == NULL) {
    void *got = mmap(NULL, FLUSH_PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (got == MAP_FAILED) return;
    area = got;
    memset(area, 1, FLUSH_PAGES * PAGE);
  }
  /* The way there flushes, because the pages exist; the way back need not. */
  mprotect(area, FLUSH_PAGES * PAGE, PROT_NONE);
  mprotect(area, FLUSH_PAGES * PAGE, PROT_READ | PROT_WRITE);
}

static inline uint64_t header_of(uint64_t index, uint32_t version) { return index << 32 | version; }

static inline uint64_t seed_of(uint64_t index, uint32_t version) {
  uint64_t value = header_of(index, version) ^ boot_nonce;
  value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9ull;
  value = (value ^ value >> 27) * 0x94d049bb133111ebull;
  return value ^ value >> 31;
}

#define STEP 0x9e3779b97f4a7c15ull

static void write_page(uint64_t index, uint32_t version) {
  uint64_t *word = pages + index * WORDS, value = seed_of(index, version);
  word[0] = header_of(index, version);
  for (int i = 1; i < WORDS; i++) word[i] = value += STEP;
  versions[index] = version;
}

/* True if the page is as it must be. A bad page is counted, then written anew, so that each damage counts once. */
static bool check_page(uint64_t index) {
  const uint64_t *word = pages + index * WORDS;
  uint32_t version = versions[index];
  uint64_t value = seed_of(index, version), difference = word[0] ^ header_of(index, version);
  for (int i = 1; i < WORDS; i++) difference |= word[i] ^ (value += STEP);
  memory_facts.verified++;
  if (difference == 0) return true;
  if (memory_facts.errors++ == 0) {
    int i = 0;
    uint64_t expected = header_of(index, version);
    for (value = seed_of(index, version); i < WORDS && word[i] == expected; i++) expected = value += STEP;
    first_error.page = index;
    first_error.offset = (uint32_t)i * 8;
    first_error.version = version;
    first_error.expected = expected;
    first_error.found = word[i];
    first_error.tick = tick_facts.ticks;
  }
  write_page(index, version);
  return false;
}

/* A table and pages that were rolled back together agree with each other, but not with the number of writes. */
static void check_sum(void) {
  uint64_t sum = 0;
  for (uint64_t i = 0; i < page_count; i++) sum += versions[i] - 1;
  if (sum != memory_facts.written) memory_facts.errors++;
}

bool start_full_pass(void) {
  if (memory_facts.pages == 0 || memory_facts.ready < memory_facts.pages) return false;
  pthread_mutex_lock(&lock);
  full.next = full.errors = 0;
  full.wanted = true;
  pthread_mutex_unlock(&lock);
  return true;
}

bool full_pass_done(uint64_t *checked, uint64_t *errors) {
  pthread_mutex_lock(&lock);
  bool done = !full.wanted;
  *checked = full.next;
  *errors = full.errors;
  pthread_mutex_unlock(&lock);
  return done;
}

bool corrupt_memory(uint64_t *page, uint32_t *offset) {
  if (memory_facts.ready == 0) return false;
  uint64_t random = seed_of(clock_ns() & 0xffffffff, (uint32_t)tick_facts.ticks);
  *page = random % memory_facts.ready;
  *offset = (uint32_t)(random >> 40) % PAGE;
  pthread_mutex_lock(&lock);
  ((uint8_t *)(pages + *page * WORDS))[*offset] ^= 0x20;
  pthread_mutex_unlock(&lock);
  return true;
}

void print_first_error(FILE *out) {
  if (memory_facts.errors == 0) {
    fprintf(out, "null");
    return;
  }
  fprintf(out, "{\"page\":%llu,\"offset\":%u,\"version\":%u,\"expected\":\"%016llx\",\"found\":\"%016llx\",\"tick\":%llu}",
          (unsigned long long)first_error.page, first_error.offset, first_error.version, (unsigned long long)first_error.expected,
          (unsigned long long)first_error.found, (unsigned long long)first_error.tick);
}
