import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { parseMigrationId, type MigrationId, type Vmid } from '../../../src/domain/ids.js';
import { KedgeError } from '../../../src/domain/kedge-error.js';
import { crashPoint } from '../../../src/drivers/host/crash-point.js';
import { removeDurably, writeDurably } from '../../../src/drivers/host/durable-file.js';
import { openSealed, sealJson } from '../../../src/drivers/host/sealed-json.js';
import { errnoOf } from '../../../src/drivers/host/storage-error.js';

const COPY_STATES = ['incoming', 'publishing', 'published'] as const;

/** A volume that this node receives. */
export interface IncomingCopy {
  readonly from: string;
  readonly to: string;
  readonly kind: 'file' | 'tree';
  readonly allocatedBytes: number;
  /** Of the rsync grant through which the source writes it. */
  readonly token: string;
  /**
   * `incoming`: under its temporary name. `publishing`: compared with the source, on the way to its final name, where a crash leaves it
   * under either. `published`: durable under its final name, nobody writes to it any more.
   */
  readonly state: (typeof COPY_STATES)[number];
}

/** What a migration makes on this node's storages, written before anything is made: whatever is found was ours. */
export interface VolumeEntry {
  readonly migrationId: MigrationId;
  readonly volumes: readonly IncomingCopy[];
}

/** One entry per guest whose disks this node receives. */
export class VolumeJournal {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * Null when nothing is received.
   * @throws KedgeError `storage-failed` when the entry can't be read: what it names must not be forgotten
   */
  async read(vmid: Vmid): Promise<VolumeEntry | null> {
    let text: string;
    try {
      text = await readFile(this.#file(vmid), 'utf8');
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return null;
      throw new KedgeError('storage-failed', `Cannot read ${this.#file(vmid)}`, { cause: error });
    }
    try {
      return entrySchema.parse(openSealed(text));
    } catch (error) {
      throw new KedgeError('storage-failed', `Cannot read ${this.#file(vmid)}: it is no journal of volumes`, { cause: error });
    }
  }

  /** The entry of this migration. @throws KedgeError `outcome-unknown` when there is none */
  async of(vmid: Vmid, migrationId: MigrationId): Promise<VolumeEntry> {
    const entry = await this.read(vmid);
    if (entry?.migrationId !== migrationId) throw new KedgeError('outcome-unknown', `Cannot receive guest ${vmid}: this node has not prepared ${migrationId}`);
    return entry;
  }

  /** On return the entry is on the disk. The caller names the crash point. */
  async write(vmid: Vmid, entry: VolumeEntry): Promise<void> {
    await writeDurably(this.#file(vmid), sealJson(entry));
  }

  async remove(vmid: Vmid): Promise<void> {
    await crashPoint('target.volume-journal-end', () => removeDurably(this.#file(vmid)));
  }

  #file(vmid: Vmid): string {
    return join(this.#folder, `${vmid}.volumes.json`);
  }
}

const entrySchema = z.object({
  migrationId: z.string().transform((text) => parseMigrationId(text).id),
  volumes: z.array(
    z.object({
      from: z.string(),
      to: z.string(),
      kind: z.enum(['file', 'tree']),
      allocatedBytes: z.number(),
      token: z.string(),
      state: z.enum(COPY_STATES),
    }),
  ),
});
