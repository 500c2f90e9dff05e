import { setTimeout as sleep } from 'node:timers/promises';
import type { MigrationRef, MigrationView } from '../../src/client/migration-view.js';
import { observerSocketFile, pathsFromEnvironment } from '../../src/config/paths.js';
import { parseVmid, type Vmid } from '../../src/domain/ids.js';
import { KedgeError } from '../../src/domain/kedge-error.js';
import type { MigrationOptions } from '../../src/domain/migration.js';
import type { BenchLab } from './bench-lab.js';
import type { BenchNode } from './bench-node.js';
import { observeSwitch, type SwitchTimes } from './observe-switch.js';

/** After a look that failed, since something was killed. */
const RETRY_MS = 50;

/** A guest that the product runs and moves between two nodes. */
export class OurGuest {
  readonly vmid: Vmid;
  readonly #bench: BenchLab;
  readonly #nodes: readonly [BenchNode, BenchNode];
  #on: 0 | 1 = 0;

  private constructor(bench: BenchLab, { vmid, nodes }: { readonly vmid: Vmid; readonly nodes: readonly [BenchNode, BenchNode] }) {
    this.#bench = bench;
    this.vmid = vmid;
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
    return new OurGuest(bench, { vmid, nodes: guest.nodes });
  }

  /** Where it runs now, and where it goes next. */
  get source(): BenchNode {
    return this.#nodes[this.#on];
  }
  get target(): BenchNode {
    return this.#nodes[this.#on === 0 ? 1 : 0];
  }

  /** The observer socket of the guest on `node`, as the host sees it. */
  socketOn(node: BenchNode): string {
    return node.fileOf(observerSocketFile(pathsFromEnvironment({}), this.vmid));
  }

  /** Asks for the move to the other node. */
  start(options: Partial<MigrationOptions> = {}): Promise<MigrationRef> {
    return this.#bench.kedge.startMigration({ vmid: this.vmid, target: this.target.name, source: this.source.name, requestedBy: 'bench', options });
  }

  /**
   * Waits for the end of a move, whatever dies meanwhile; watches it no closer than `kedge migrate` does, since each look costs both
   * the server and the control worker time that the move needs. @throws KedgeError `rolled-back` when the guest is neither here nor there as it was
   */
  async end(ref: MigrationRef): Promise<MigrationView> {
    for (;;) {
      const view = await this.#lastView(ref).catch(() => null);
      if (view === null || view.status === 'running') {
        await sleep(RETRY_MS);
        continue;
      }
      const outcome = view.story?.outcome ?? null;
      if (outcome === 'migrated') this.#on = this.#on === 0 ? 1 : 0;
      else if (outcome !== 'rolled-back')
        throw new KedgeError('rolled-back', `Cannot measure: the migration ended as ${outcome ?? view.status}`, { cause: view.failure });
      return view;
    }
  }

  async #lastView(ref: MigrationRef): Promise<MigrationView | null> {
    let last: MigrationView | null = null;
    for await (const view of this.#bench.kedge.watchMigration(ref)) last = view;
    return last;
  }

  /** Moves the guest to the other node, watched from outside. @throws KedgeError `rolled-back` when it did not arrive */
  async migrate({ timeoutMs }: { readonly timeoutMs: number }): Promise<SwitchTimes & { readonly commandToDoneMs: number }> {
    const observation = await observeSwitch({ source: this.socketOn(this.source), target: this.socketOn(this.target), timeoutMs });
    const started = performance.now();
    const { failure, story } = await this.end(await this.start());
    const commandToDoneMs = performance.now() - started;
    if (story?.outcome !== 'migrated')
      throw new KedgeError('rolled-back', `Cannot measure: the migration was rolled back, ${failure?.message ?? 'no reason given'}`);
    return { ...(await observation.times), commandToDoneMs };
  }

  async destroy(): Promise<void> {
    for (const verb of ['stop', 'destroy'] as const) await this.#bench.kedge.manageGuest({ node: this.source.name, command: { verb, vmid: this.vmid } });
  }
}
