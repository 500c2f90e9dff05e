import { existsSync, mkdirSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { parseVmid, type Vmid } from '../../../src/domain/ids.js';
import { KedgeError } from '../../../src/domain/kedge-error.js';
import { GUEST_KINDS, type GuestKind } from '../../../src/domain/ownership.js';
import { crashPoint } from '../../../src/drivers/host/crash-point.js';
import { removeDurably, writeDurably } from '../../../src/drivers/host/durable-file.js';

/**
 * The guests' config files of this node (`qemu-server/<vmid>.conf` and `lxc/<vmid>.conf`, PVE grammar), as text. A vmid is one guest's,
 * whatever its kind.
 */
export class GuestConfigs {
  readonly #folders: Readonly<Record<GuestKind, string>>;

  constructor(folders: Readonly<Record<GuestKind, string>>) {
    this.#folders = folders;
    for (const folder of Object.values(folders)) mkdirSync(folder, { recursive: true });
  }

  /** Which kind of guest the config is of; null when this node has none. */
  kindOf(vmid: Vmid): GuestKind | null {
    return GUEST_KINDS.find((kind) => existsSync(this.#file(vmid, kind))) ?? null;
  }

  /** @throws KedgeError `not-found` when this node has no config of the guest (of that kind) */
  async read(vmid: Vmid, kind: GuestKind = this.kindOf(vmid) ?? 'qemu'): Promise<string> {
    try {
      return await readFile(this.#file(vmid, kind), 'utf8');
    } catch (cause) {
      throw new KedgeError('not-found', `Cannot read the config of guest ${vmid}: this node has none`, { cause });
    }
  }

  /** Equal as long as the file is the same and was not written; null without one. A config is replaced, not written in place, but an operator may. */
  async stamp(vmid: Vmid, kind: GuestKind): Promise<string | null> {
    const found = await stat(this.#file(vmid, kind), { bigint: true }).catch(() => null);
    return found === null ? null : [found.ino, found.size, found.mtimeNs, found.ctimeNs].join(':');
  }

  /** On return the config is on the disk. The caller names the crash point. */
  async write(vmid: Vmid, kind: GuestKind, text: string): Promise<void> {
    await writeDurably(this.#file(vmid, kind), text);
  }

  /** No config is fine: it was never written, or is removed already. */
  async remove(vmid: Vmid): Promise<void> {
    await crashPoint('node.config-removal', async () => {
      for (const kind of GUEST_KINDS) await removeDurably(this.#file(vmid, kind));
    });
  }

  async list(): Promise<readonly Vmid[]> {
    return (await this.listFiles()).map(({ vmid }) => vmid);
  }

  /** All configs of this node; `name` is relative to the folder of configs. */
  async listFiles(): Promise<readonly { readonly vmid: Vmid; readonly kind: GuestKind; readonly name: string }[]> {
    const found = GUEST_KINDS.map(async (kind) => {
      const names = await readdir(this.#folders[kind]);
      return names.flatMap((name) =>
        /^[1-9][0-9]{2,8}\.conf$/.test(name)
          ? [{ vmid: parseVmid(name.slice(0, -'.conf'.length)), kind, name: `${basename(this.#folders[kind])}/${name}` }]
          : [],
      );
    });
    return (await Promise.all(found)).flat();
  }

  #file(vmid: Vmid, kind: GuestKind): string {
    return join(this.#folders[kind], `${vmid}.conf`);
  }
}
