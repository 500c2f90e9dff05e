/*
 * What the witness in the guest and the observer outside say to each other, and what the guest writes to its disk.
 * All integers are little-endian; both programs run on x86-64 only, so the structs are the wire format.
 * docs/witness.md explains the formats to programs of others.
 */
#ifndef KEDGE_WIRE_H
#define KEDGE_WIRE_H

#include <stddef.h>
#include <stdint.h>

#define TICK_MAGIC 0x3154574bu /* "KWT1" */
#define TICK_VERSION 1
#define TICK_PORT 7001
#define COMMAND_PORT 7002

/* One UDP datagram to port 7001 per tick. */
struct tick_packet {
  uint32_t magic;
  uint16_t version;
  uint16_t size;
  uint32_t vmid;
  uint32_t tick_ms;
  uint64_t nonce;          /* random per boot: a new one means that memory was lost */
  uint64_t tick;           /* 1, 2, 3 … within one nonce */
  uint64_t clock_ns;       /* the guest's monotonic clock; it stands still while the guest is paused */
  uint64_t journal_first;  /* first sequence number that this boot writes; 0 = no journal */
  uint64_t journal_acked;  /* newest sequence number whose fdatasync returned; 0 = none yet */
  uint64_t journal_errors;
  uint64_t pages_written;  /* never falls within one nonce */
  uint64_t pages_verified; /* never falls within one nonce */
  uint64_t verify_passes;
  uint64_t memory_errors;
  uint32_t crc;            /* of all bytes before this field */
} __attribute__((packed));

#define JOURNAL_MAGIC 0x314a574bu /* "KWJ1" */
#define JOURNAL_VERSION 1
#define JOURNAL_RECORD 512

/* Record with sequence number s stands in slot (s - 1) modulo the number of slots. */
struct journal_record {
  uint32_t magic;
  uint16_t version;
  uint16_t size;
  uint32_t vmid;
  uint32_t slots;
  uint64_t nonce;
  uint64_t seq;            /* 1, 2, 3 … over all boots of this disk */
  uint64_t first;          /* first sequence number of this boot */
  uint64_t tick;
  uint64_t clock_ns;
  uint64_t pages_written;
  uint8_t filler[JOURNAL_RECORD - 68]; /* derived from seq, so that the whole sector matters */
  uint32_t crc;            /* of all bytes before this field */
} __attribute__((packed));

_Static_assert(sizeof(struct tick_packet) == 100, "tick_packet is wire format");
_Static_assert(sizeof(struct journal_record) == JOURNAL_RECORD, "journal_record is disk format");

/* CRC-32 as zip, Ethernet and zlib have it (reflected 0xedb88320). */
static inline uint32_t crc32_of(const void *data, size_t length) {
  static uint32_t table[256];
  if (table[1] == 0) {
    for (uint32_t i = 255; i != 0; i--) { /* downwards: table[1] is written last, so that a reader sees all or nothing */
      uint32_t value = i;
      for (int bit = 0; bit < 8; bit++) value = (value >> 1) ^ ((value & 1) ? 0xedb88320u : 0);
      __atomic_store_n(&table[i], value, __ATOMIC_RELEASE);
    }
  }
  const uint8_t *byte = data;
  uint32_t crc = 0xffffffffu;
  while (length--) crc = (crc >> 8) ^ table[(crc ^ *byte++) & 0xff];
  return crc ^ 0xffffffffu;
}

#endif
