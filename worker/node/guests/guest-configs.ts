import { mkdirSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseVmid, type Vmid } from '../../../src/domain/ids.js';
import { KedgeError } from '../../../src/domain/kedge-error.js';
import { removeDurably, writeDurably } from '../../../src/drivers/host/durable-file.js';

/** The guests' config files of this node (`qemu-server/<vmid>.conf`, PVE grammar), as text. */
export class GuestConfigs {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true });
  }

  /** @throws KedgeError `not-found` when this node has no config of the guest */
  async read(vmid: Vmid): Promise<string> {
    try {
      return await readFile(this.#file(vmid), 'utf8');
    } catch (cause) {
      throw new KedgeError('not-found', `Cannot read the config of guest ${vmid}: this node has none`, { cause });
    }
  }

  /** On return the config is on the disk. */
  async write(vmid: Vmid, text: string): Promise<void> {
    await writeDurably(this.#file(vmid), text);
  }

  /** No config is fine: it was never written, or is removed already. */
  async remove(vmid: Vmid): Promise<void> {
    await removeDurably(this.#file(vmid));
  }

  async list(): Promise<readonly Vmid[]> {
    const names = await readdir(this.#folder);
    return names.flatMap((name) => (/^[1-9][0-9]{2,8}\.conf$/.test(name) ? [parseVmid(name.slice(0, -'.conf'.length))] : []));
  }

  #file(vmid: Vmid): string {
    return join(this.#folder, `${vmid}.conf`);
  }
}
