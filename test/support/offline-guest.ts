/** What an e2e test sees of a guest on local disks, from outside; and one with all that a disk may have. */
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { promisify } from 'node:util';
import { machineOf } from '../../lab/lab-store.js';
import { processesInside, sendSignal, waitUntil, type InsideProcess } from '../../lab/processes.js';
import { witnessGuestConfig } from '../../lab/witness/witness-guest-config.js';
import { parseNodeName, parseVmid } from '../../src/domain/ids.js';
import type { LabWorld } from './lab-world.js';

const MIB = 2 ** 20;

export class OfflineGuest {
  readonly #world: LabWorld;
  readonly #vmid: number;

  constructor(world: LabWorld, vmid: number) {
    this.#world = world;
    this.#vmid = vmid;
  }

  /**
   * Creates a witness, off: a raw disk with its journal, a qcow2 with data and a snapshot inside, and the snapshot's section.
   * `dataMiB`: what its second disk holds that can't be compressed.
   */
  static async create(world: LabWorld, guest: { readonly vmid: number; readonly node: string; readonly dataMiB: number }): Promise<OfflineGuest> {
    const { vmid, node, dataMiB } = guest;
    const witness = { vmid, name: `witness-${vmid}`, memoryMiB: 192, dirtyRate: MIB, workingSet: 16 * MIB, disks: [64], storage: 'local' };
    const drives = `virtio1: local:${vmid}/vm-${vmid}-disk-1.qcow2,size=64M\n`;
    const config = `${witnessGuestConfig(witness)}${drives}parent: before\n\n[before]\nmemory: 192\n${drives}snaptime: 1700000000\n`;
    await world.kedge.manageGuest({ node: parseNodeName(node), command: { verb: 'create', vmid: parseVmid(vmid), config } });
    const created = new OfflineGuest(world, vmid);
    const disk = created.disks(node).find((file) => file.endsWith('.qcow2')) ?? '';
    const data = execFileSync('mktemp', ['-p', '/tmp', 'kedge-data-XXXXXX']).toString().trim();
    execFileSync('dd', ['if=/dev/urandom', `of=${data}`, 'bs=1M', `count=${dataMiB}`, 'status=none']);
    for (const command of [`write -s ${data} 0 ${dataMiB * MIB}`, null, `write -P 9 ${(dataMiB + 1) * MIB} ${2 * MIB}`]) {
      if (command === null) execFileSync('qemu-img', ['snapshot', '-c', 'before', disk]);
      else execFileSync('qemu-io', ['-f', 'qcow2', '-c', command, disk]);
    }
    execFileSync('rm', [data]);
    return created;
  }

  /** Its disks on a node, as the host reaches them, in the order of the config there. */
  disks(node: string): readonly string[] {
    const config = readFileSync(this.#world.inside(node, `/etc/kedge/qemu-server/${this.#vmid}.conf`), 'utf8').split('\n[')[0] ?? '';
    return [...config.matchAll(/^virtio\d+: local:([^,\s]+)/gm)].map((match) => this.#world.inside(node, `/var/lib/kedge/images/images/${match[1]}`));
  }

  /** The state of its record on a node; null without one. */
  record(node: string): string | null {
    return /"state":"(\w+)"/.exec(this.#read(node, `records/${this.#vmid}.json`))?.[1] ?? null;
  }

  /** Is its record on a node that of a migration under way? */
  isClaimed(node: string): boolean {
    return this.#read(node, `records/${this.#vmid}.json`).includes('"migrationId"');
  }

  wasToldToShutDown(node: string): boolean {
    return existsSync(this.#world.inside(node, `/var/lib/kedge/journal/${this.#vmid}.shutdown`));
  }

  /** One of its copies was found equal and published there. */
  isPublished(node: string): boolean {
    return this.#read(node, `journal/${this.#vmid}.volumes.json`).includes('"published"');
  }

  #read(node: string, file: string): string {
    try {
      return readFileSync(this.#world.inside(node, `/var/lib/kedge/${file}`), 'utf8');
    } catch {
      return '';
    }
  }
}

/** Every byte and every snapshot, and nothing of the holes. */
export async function assertSameDisks(ours: readonly string[], theirs: readonly string[]): Promise<void> {
  for (const [index, one] of ours.entries()) {
    const other = theirs[index] ?? '';
    await promisify(execFile)('qemu-img', ['compare', '-s', one, other]);
    await promisify(execFile)('cmp', [one, other]);
    const [before, after] = [one, other].map((file) => statSync(file).blocks * 512);
    if ((after ?? 0) > (before ?? 0) + MIB) throw new Error(`Cannot find ${other} as sparse as ${one}: it takes ${after} instead of ${before} bytes`);
  }
}

/** Processes of one program on a node. */
function programsOn(world: LabWorld, node: string, program: string): readonly InsideProcess[] {
  const { init } = machineOf(world.lab(), node);
  return init === null ? [] : processesInside(init).filter(({ command }) => (command[0] ?? '').replace(/:$/, '').split('/').at(-1) === program);
}

/** Kills all of them; waits until there are some. */
export async function killPrograms(world: LabWorld, node: string, program: string): Promise<void> {
  await waitUntil(`${program} on ${node}`, () => programsOn(world, node, program).length > 0, { timeoutMs: 30_000, pauseMs: 5 });
  for (const each of programsOn(world, node, program)) sendSignal(each, 'SIGKILL');
}
