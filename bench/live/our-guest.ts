import { setTimeout as sleep } from 'node:timers/promises';
import { observerSocketFile, pathsFromEnvironment } from '../../src/config/paths.js';
import { parseVmid } from '../../src/domain/ids.js';
import { KedgeError } from '../../src/domain/kedge-error.js';
import type { BenchLab } from './bench-lab.js';
import type { BenchNode } from './bench-node.js';
import { observeSwitch, type SwitchTimes } from './observe-switch.js';

const POLL_MS = 50;

/** A guest that the product runs and moves between two nodes. */
export class OurGuest {
  readonly #bench: BenchLab;
  readonly #vmid: number;
  readonly #nodes: readonly [BenchNode, BenchNode];
  #on: 0 | 1 = 0;

  private constructor(bench: BenchLab, { vmid, nodes }: { readonly vmid: number; readonly nodes: readonly [BenchNode, BenchNode] }) {
    this.#bench = bench;
    this.#vmid = vmid;
    this.#nodes = nodes;
  }

  /** Creates and starts the guest on the first node. */
  static async create(
    bench: BenchLab,
    guest: { readonly vmid: number; readonly config: string; readonly nodes: readonly [BenchNode, BenchNode] },
  ): Promise<OurGuest> {
    const vmid = parseVmid(guest.vmid);
    const node = guest.nodes[0].name;
    await bench.kedge.manageGuest({ node, command: { verb: 'create', vmid, config: guest.config } });
    await bench.kedge.manageGuest({ node, command: { verb: 'start', vmid } });
    return new OurGuest(bench, guest);
  }

  /** Moves the guest to the other node, watched from outside. @throws KedgeError `rolled-back` when it did not arrive */
  async migrate({ timeoutMs }: { readonly timeoutMs: number }): Promise<SwitchTimes & { readonly commandToDoneMs: number }> {
    const { kedge } = this.#bench;
    const [source, target] = [this.#nodes[this.#on], this.#nodes[this.#on === 0 ? 1 : 0]];
    const socket = observerSocketFile(pathsFromEnvironment({}), this.#vmid);
    const observation = await observeSwitch({ source: source.fileOf(socket), target: target.fileOf(socket), timeoutMs });
    const started = performance.now();
    const ref = await kedge.startMigration({ vmid: this.#vmid, target: target.name, source: source.name, requestedBy: 'bench' });
    for (;;) {
      const view = await kedge.showMigration(ref);
      if (view.status === 'running') {
        await sleep(POLL_MS);
        continue;
      }
      if (view.story?.outcome !== 'migrated') {
        throw new KedgeError('rolled-back', `Cannot measure: the migration ended as ${view.story?.outcome ?? view.status}`, { cause: view.failure });
      }
      break;
    }
    const commandToDoneMs = performance.now() - started;
    this.#on = this.#on === 0 ? 1 : 0;
    return { ...(await observation.times), commandToDoneMs };
  }

  async destroy(): Promise<void> {
    const vmid = parseVmid(this.#vmid);
    const node = this.#nodes[this.#on].name;
    await this.#bench.kedge.manageGuest({ node, command: { verb: 'stop', vmid } });
    await this.#bench.kedge.manageGuest({ node, command: { verb: 'destroy', vmid } });
  }
}
