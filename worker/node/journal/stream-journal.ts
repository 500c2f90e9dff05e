import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { parseMigrationId, type MigrationId, type Vmid } from '../../../src/domain/ids.js';
import type { CopyRound } from '../../../src/domain/migration.js';
import { crashPoint } from '../../../src/drivers/host/crash-point.js';
import { removeDurably, writeDurably } from '../../../src/drivers/host/durable-file.js';
import { openSealed, sealJson } from '../../../src/drivers/host/sealed-json.js';
import type { StreamLimits } from '../handover/stream-limits.js';

/**
 * What the source remembers of a RAM stream that it started, so that a later attempt finds its own stream again.
 * QEMU's migration status is sticky (an old `failed` stays until the next `migrate`): only together with this file does it
 * speak of the present attempt.
 */
export interface StreamEntry {
  readonly migrationId: MigrationId;
  /** `intended`: written before `migrate` was sent; `started`: QEMU has answered it. */
  readonly state: 'intended' | 'started';
  readonly startedAt: string;
  readonly reattached: number;
  /** Started with a hold; whether it has been released is told by `release` alone, which outlives every write of this entry. */
  readonly held: boolean;
  /** RFC 3339 instant at which the stream was first slowed for its hold; null before. */
  readonly holdBeganAt: string | null;
  readonly rounds: readonly CopyRound[];
  /** The guest had to be started from its disks: its memory was lost in this migration. */
  readonly memoryLost: boolean;
  /** Decided when the stream was started, so that all attempts keep to the same; null in an entry of a Kedge that did not note them. */
  readonly limits: StreamLimits | null;
}

/** The end of a hold, in a file of its own: it may come before the stream, and attempts that rewrite the entry don't undo it. */
export interface HoldRelease {
  readonly migrationId: MigrationId;
  /** RFC 3339. */
  readonly releasedAt: string;
}

/** One entry per guest whose stream this node drives, and the release of its hold. */
export class StreamJournal {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The entry of this migration; null when there is none or it belongs to another migration. */
  async read(vmid: Vmid, migrationId: MigrationId): Promise<StreamEntry | null> {
    const entry = await readJson(this.#file(vmid), entrySchema);
    return entry?.migrationId === migrationId ? entry : null;
  }

  /** On return the entry is on the disk. The caller names the crash point. */
  async write(vmid: Vmid, entry: StreamEntry): Promise<void> {
    await writeDurably(this.#file(vmid), sealJson(entry));
  }

  /** The release of this migration's hold; null while nobody has released it. */
  async readRelease(vmid: Vmid, migrationId: MigrationId): Promise<HoldRelease | null> {
    const release = await readJson(this.#releaseFile(vmid), releaseSchema);
    return release?.migrationId === migrationId ? release : null;
  }

  /** Releases the hold of this migration, whether its stream has begun or not. A second release changes nothing. */
  async release(vmid: Vmid, migrationId: MigrationId): Promise<void> {
    if ((await this.readRelease(vmid, migrationId)) !== null) return;
    const release: HoldRelease = { migrationId, releasedAt: new Date().toISOString() };
    await crashPoint('source.hold-release', () => writeDurably(this.#releaseFile(vmid), sealJson(release)));
  }

  /** Was this migration's stream started with a hold that nobody has released? For those who don't know its options. */
  async isHeld(vmid: Vmid, migrationId: MigrationId): Promise<boolean> {
    const entry = await this.read(vmid, migrationId);
    return entry?.held === true && (await this.readRelease(vmid, migrationId)) === null;
  }

  async remove(vmid: Vmid): Promise<void> {
    await crashPoint('source.stream-journal-end', async () => {
      await removeDurably(this.#releaseFile(vmid));
      await removeDurably(this.#file(vmid));
    });
  }

  #releaseFile(vmid: Vmid): string {
    return join(this.#folder, `${vmid}.release.json`);
  }

  #file(vmid: Vmid): string {
    return join(this.#folder, `${vmid}.stream.json`);
  }
}

const roundSchema = z.object({ round: z.number(), bytesLeft: z.number(), bytesSent: z.number(), durationMs: z.number() });
const migrationIdSchema = z.string().transform((text) => parseMigrationId(text).id);
const entrySchema = z.object({
  migrationId: migrationIdSchema,
  state: z.enum(['intended', 'started']),
  startedAt: z.string(),
  reattached: z.number(),
  held: z.boolean(),
  holdBeganAt: z.string().nullable().default(null),
  rounds: z.array(roundSchema),
  memoryLost: z.boolean(),
  limits: z.object({ bandwidthLimit: z.number(), maxDowntimeMs: z.number() }).nullable().default(null),
});
const releaseSchema = z.object({ migrationId: migrationIdSchema, releasedAt: z.iso.datetime() });

/** Null for a missing file and for one that is no such entry: the stream is then not ours to re-attach to. */
async function readJson<Output>(file: string, schema: z.ZodType<Output>): Promise<Output | null> {
  try {
    return schema.parse(openSealed(await readFile(file, 'utf8')));
  } catch {
    return null;
  }
}
