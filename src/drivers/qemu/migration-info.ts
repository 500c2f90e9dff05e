import { z } from 'zod';

/** Values of `query-migrate.status` (QEMU 7.2 to 10); `none`: no migration yet; `other`: a newer QEMU's word. */
export const MIGRATION_STATUSES = [
  'none',
  'setup',
  'active',
  'pre-switchover',
  'device',
  'completed',
  'failed',
  'cancelling',
  'cancelled',
  'postcopy-active',
  'postcopy-paused',
  'postcopy-recover',
  'postcopy-recover-setup',
  'wait-unplug',
  'colo',
  'other',
] as const;
export type MigrationStatus = (typeof MIGRATION_STATUSES)[number];

/** Counters of the RAM copy; QEMU reports them on the source only. */
export interface RamProgress {
  /** Bytes sent so far, those of multifd included. */
  readonly transferred: number;
  readonly remaining: number;
  readonly total: number;
  /** Megabit per second; stale while nothing moves. */
  readonly mbps: number;
  /** Pages per second that the guest dirties. */
  readonly dirtyPagesRate: number;
  readonly pageSize: number;
  /** Counts the RAM passes, from 1. */
  readonly dirtySyncCount: number;
  readonly multifdBytes: number;
}

/** What `query-migrate` says, typed. A status is sticky: it stays until the next `migrate` of the same process. */
export interface MigrationInfo {
  readonly status: MigrationStatus;
  readonly ram: RamProgress | null;
  readonly expectedDowntimeMs: number | null;
  /** STOP to completed on the source; excludes the hand-over. */
  readonly downtimeMs: number | null;
  readonly setupTimeMs: number | null;
  readonly totalTimeMs: number | null;
  readonly errorDesc: string | null;
  /** Where an incoming QEMU listens. */
  readonly socketAddress: readonly { readonly host: string; readonly port: number }[];
  /** Why QEMU would refuse to migrate this guest. */
  readonly blockedReasons: readonly string[];
}

/** Parses the answer of `query-migrate`; unknown keys are ignored. @throws ZodError when it is no such answer */
export function parseMigrationInfo(answer: unknown): MigrationInfo {
  const info = ANSWER.parse(answer);
  return {
    status: info.status === undefined ? 'none' : (MIGRATION_STATUSES.find((status) => status === info.status) ?? 'other'),
    ram:
      info.ram === undefined
        ? null
        : {
            transferred: info.ram.transferred,
            remaining: info.ram.remaining,
            total: info.ram.total,
            mbps: info.ram.mbps,
            dirtyPagesRate: info.ram['dirty-pages-rate'],
            pageSize: info.ram['page-size'],
            dirtySyncCount: info.ram['dirty-sync-count'],
            multifdBytes: info.ram['multifd-bytes'],
          },
    expectedDowntimeMs: info['expected-downtime'] ?? null,
    downtimeMs: info.downtime ?? null,
    setupTimeMs: info['setup-time'] ?? null,
    totalTimeMs: info['total-time'] ?? null,
    errorDesc: info['error-desc'] ?? null,
    socketAddress: (info['socket-address'] ?? []).flatMap((address) => {
      const inet = INET_ADDRESS.safeParse(address);
      return inet.success ? [{ host: inet.data.host, port: Number(inet.data.port) }] : [];
    }),
    blockedReasons: info['blocked-reasons'] ?? [],
  };
}

/** Byte counters beyond 2^53 come as bigint from the client; a rounded one does for progress. */
const COUNTER = z.union([z.number(), z.bigint().transform(Number)]);
const INET_ADDRESS = z.object({ type: z.literal('inet'), host: z.string(), port: z.string() });
const ANSWER = z.object({
  status: z.string().optional(),
  ram: z
    .object({
      transferred: COUNTER,
      remaining: COUNTER,
      total: COUNTER,
      mbps: z.number(),
      'dirty-pages-rate': COUNTER,
      'page-size': z.number(),
      'dirty-sync-count': z.number(),
      'multifd-bytes': COUNTER.default(0),
    })
    .optional(),
  'expected-downtime': COUNTER.optional(),
  downtime: COUNTER.optional(),
  'setup-time': COUNTER.optional(),
  'total-time': COUNTER.optional(),
  'error-desc': z.string().optional(),
  'socket-address': z.array(z.unknown()).optional(),
  'blocked-reasons': z.array(z.string()).optional(),
});
