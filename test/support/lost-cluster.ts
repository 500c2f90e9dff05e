/** Three nodes over one shared storage, without QEMU and without the wire between them; guest 901 is node1's. A node that is dead answers nobody. */
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { GuestMarker, GuestNote } from '../../src/domain/guest-note.js';
import { migrationIdOf, parseGeneration, parseNodeName, parseVmid, type NodeName } from '../../src/domain/ids.js';
import { KedgeError } from '../../src/domain/kedge-error.js';
import type { OwnershipRecord, Wanted } from '../../src/domain/ownership.js';
import { openGuestNotes, type GuestNotes } from '../../src/drivers/storage/guest-notes.js';
import type { NodeContext } from '../../worker/node/node-context.js';
import { configuredNode } from './configured-node.js';
import { directChannel } from './direct-channel.js';

export const VMID = parseVmid(901);
export const NODES = ['node1', 'node2', 'node3'].map(parseNodeName);
export const [LOST, TAKER, OTHER] = [parseNodeName('node1'), parseNodeName('node2'), parseNodeName('node3')];
export const CONFIG = 'name: lost\nmemory: 64\nvirtio0: shared:901/vm-901-disk-0.raw\n';

export interface LostCluster {
  readonly dead: Set<NodeName>;
  readonly notes: GuestNotes;
  node(name: NodeName): NodeContext;
  /** Each read of the notes of a storage fails from now on, or no more. */
  sicken(storage: 'shared' | 'second', isSick: boolean): void;
  /** Makes node1 the owner, with its config and what lies beside the disks. */
  own(generation: number, wanted?: Wanted): Promise<void>;
  /** Writes a record of the guest as a migration between node1 and this node may have left it. */
  record(name: NodeName, state: OwnershipRecord['state'], generation: number): Promise<void>;
  state(name: NodeName): Promise<string>;
  remove(): void;
}

export async function lostCluster(): Promise<LostCluster> {
  const root = mkdtempSync(join(tmpdir(), 'kedge-lost-'));
  mkdirSync(join(root, 'shared'));
  mkdirSync(join(root, 'second'));
  const dead = new Set<NodeName>();
  const made = new Map<NodeName, NodeContext>();
  const removals = [() => rmSync(root, { recursive: true })];
  const nodeOf = (name: NodeName): NodeContext => {
    const found = made.get(name);
    if (found === undefined) throw new Error(`The test has no ${name}`);
    return found;
  };
  for (const name of NODES) {
    const storage = (id: string, shared: number): string => `dir: ${id}\n\tpath ${join(root, id)}\n\tcontent images\n\tshared ${shared}\n\n`;
    const { node, remove } = await configuredNode({
      'node.yaml': `name: ${name}\n`,
      'kedge.yaml': `cluster: test\nnodes:\n${NODES.map((each) => `  ${each}: {address: 127.0.0.1}\n`).join('')}`,
      'storage.cfg': `${storage('shared', 1)}${storage('second', 1)}${storage('local', 0)}`,
    });
    removals.push(remove);
    const channel = (to: NodeName) =>
      dead.has(to)
        ? Promise.reject(new KedgeError('peer-unreachable', `${to} is off`))
        : Promise.resolve(directChannel({ from: name, to: () => nodeOf(to), cuts: new Map() }));
    made.set(name, { ...node, boot: { confirmed: true }, peers: { channel, migrationAddress: () => '127.0.0.1' } });
  }
  const notes = openGuestNotes(join(root, 'shared'));
  return {
    dead,
    notes,
    node: nodeOf,
    sicken(storage, isSick) {
      const folder = join(root, storage, '.kedge');
      const aside = join(root, `${storage}-aside`);
      if (isSick) {
        if (existsSync(folder)) renameSync(folder, aside);
        writeFileSync(folder, 'no folder');
      } else {
        rmSync(folder);
        if (existsSync(aside)) renameSync(aside, folder);
      }
    },
    async own(generation, wanted = 'stopped') {
      const owner = nodeOf(LOST);
      await owner.guestConfigs.write(VMID, 'qemu', CONFIG);
      await owner.records.write({ vmid: VMID, kind: 'qemu', generation: parseGeneration(generation), wanted, bootId: owner.bootId, state: 'owned' });
      const marker: GuestMarker = { generation: parseGeneration(generation), owner: LOST };
      await notes.mark(VMID, marker);
      await notes.write({ ...marker, vmid: VMID, kind: 'qemu', wanted, config: CONFIG } satisfies GuestNote);
    },
    async record(name, state, generation) {
      const node = nodeOf(name);
      const base = { vmid: VMID, kind: 'qemu', generation: parseGeneration(generation), wanted: 'stopped', bootId: node.bootId } as const;
      const claimed = { ...base, migrationId: migrationIdOf(VMID, base.generation), peer: LOST };
      if (state === 'owned') await node.records.write({ ...base, state });
      else if (state === 'revoked') await node.records.write({ ...claimed, state, ran: 'no' });
      else await node.records.write({ ...claimed, state });
    },
    async state(name) {
      const view = await nodeOf(name).records.read(VMID);
      return view.kind === 'record' ? `${view.record.state}(${view.record.generation})` : view.kind;
    },
    remove: () => {
      for (const remove of removals.reverse()) remove();
    },
  };
}
