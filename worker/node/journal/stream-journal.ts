import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { parseMigrationId, type MigrationId, type Vmid } from '../../../src/domain/ids.js';
import type { CopyRound } from '../../../src/domain/migration.js';
import { removeDurably, writeDurably } from '../../../src/drivers/host/durable-file.js';

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
  /** A hold waits for `kedge migration release`. */
  readonly held: boolean;
  readonly rounds: readonly CopyRound[];
  /** The guest had to be started from its disks: its memory was lost in this migration. */
  readonly memoryLost: boolean;
}

/** One file per guest whose stream this node drives. */
export class StreamJournal {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The entry of this migration; null when there is none or it belongs to another migration. */
  async read(vmid: Vmid, migrationId: MigrationId): Promise<StreamEntry | null> {
    const entry = await this.#readAny(vmid);
    return entry?.migrationId === migrationId ? entry : null;
  }

  async write(vmid: Vmid, entry: StreamEntry): Promise<void> {
    await writeDurably(this.#file(vmid), `${JSON.stringify(entry)}\n`);
  }

  async remove(vmid: Vmid): Promise<void> {
    await removeDurably(this.#file(vmid));
  }

  async #readAny(vmid: Vmid): Promise<StreamEntry | null> {
    let text: string;
    try {
      text = await readFile(this.#file(vmid), 'utf8');
    } catch {
      return null;
    }
    return parseEntry(text);
  }

  #file(vmid: Vmid): string {
    return join(this.#folder, `${vmid}.stream.json`);
  }
}

const roundSchema = z.object({ round: z.number(), bytesLeft: z.number(), bytesSent: z.number(), durationMs: z.number() });
const entrySchema = z.object({
  migrationId: z.string().transform((text) => parseMigrationId(text).id),
  state: z.enum(['intended', 'started']),
  startedAt: z.string(),
  reattached: z.number(),
  held: z.boolean(),
  rounds: z.array(roundSchema),
  memoryLost: z.boolean(),
});

/** Null for a file that is no entry: the stream is then not ours to re-attach to. */
function parseEntry(text: string): StreamEntry | null {
  try {
    return entrySchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}
