/**
 * Two nodes and one guest in memory, with the rules of the ownership protocol but without QEMU: what the workflow tests run
 * against. Effects keep to the records; at every change the runners are counted.
 */
import { parseGeneration, parseNodeName, type MigrationId, type NodeName, type Vmid } from '../../src/domain/ids.js';
import { KedgeError } from '../../src/domain/kedge-error.js';
import type { MigrationKind } from '../../src/domain/migration.js';
import type { NodeInventory } from '../../src/domain/node-facts.js';
import type { VoidedGuest } from '../../src/domain/voided-guest.js';
import type { QemuState, RecordState, Wanted } from '../../src/domain/ownership.js';

export interface FakeRecord {
  readonly state: RecordState;
  readonly generation: number;
  readonly migrationId: MigrationId | null;
}

/** What one node has of the guest. */
export interface FakeSide {
  readonly name: NodeName;
  record: FakeRecord | null;
  qemu: QemuState;
  /** Config, devices and sockets of the guest are there. */
  files: boolean;
  /** Of a guest on local disks: on the source the guest's own; on the target its copy, from the first pass to its final name. */
  disks: 'none' | 'own' | 'seed' | 'equal' | 'published';
}

export const SOURCE = parseNodeName('node1');
export const TARGET = parseNodeName('node2');

export class FakeWorld {
  readonly vmid: Vmid;
  wanted: Wanted;
  readonly movement: MigrationKind;
  readonly source: FakeSide;
  readonly target: FakeSide;
  /** Names of the activities as they ran, in order. */
  readonly calls: string[] = [];
  readonly violations: string[] = [];
  streams = false;
  holdReleased = false;
  /** This node is gone: its activities are never taken up, and the other one hears nothing of it. */
  lost: 'source' | 'target' | null = null;
  /** What was decided of the lost node. */
  voided: readonly VoidedGuest[] = [];
  /** Copies that compared what files hold, however equal they look. */
  thoroughCopies = 0;
  /** What admission has granted to the copies, in their order; null: no share. */
  readonly shares: (number | null)[] = [];
  /** The source was told that its disks stay by choice. */
  keptNoted = false;
  readonly #newestStep = new Map<NodeName, number>();
  readonly #waiting: { readonly until: () => boolean; readonly resolve: () => void }[] = [];

  constructor(vmid: Vmid, { wanted = 'running', movement = 'live' }: { wanted?: Wanted; movement?: MigrationKind } = {}) {
    this.vmid = vmid;
    this.wanted = wanted;
    this.movement = movement;
    this.source = {
      name: SOURCE,
      record: { state: 'owned', generation: 1, migrationId: null },
      qemu: this.#atWork(),
      files: true,
      disks: movement === 'live' ? 'none' : 'own',
    };
    this.target = { name: TARGET, record: null, qemu: 'gone', files: false, disks: 'none' };
  }

  /** Refuses what an older step than the newest on this node wants to do. */
  claimStep(node: NodeName, sequence: number): void {
    if (sequence < (this.#newestStep.get(node) ?? 0)) throw new KedgeError('stale-claim', 'Cannot act: a newer step has taken over');
    this.#newestStep.set(node, sequence);
  }

  /** Every change goes through here: what must never be, at no moment, is remembered. */
  change(side: FakeSide, changes: Partial<Omit<FakeSide, 'name'>>): void {
    Object.assign(side, changes);
    const after = `after ${this.calls.at(-1) ?? 'the start'}`;
    if (this.runners().length > 1) this.violations.push(`two runners ${after}`);
    if (this.movement !== 'live' && !this.#hasItsDisks()) this.violations.push(`no whole disk of a node that may have the guest ${after}`);
    if (this.movement !== 'live' && this.target.qemu !== 'gone' && this.target.disks !== 'published') this.violations.push(`runs on a half copy ${after}`);
    this.notice();
  }

  /** The owner has them, or whoever the owner gave the guest up to. */
  #hasItsDisks(): boolean {
    return this.source.disks === 'own' || (this.target.disks === 'published' && this.target.record?.state === 'owned');
  }

  setRecord(side: FakeSide, state: RecordState, { generation, migrationId }: { generation: number; migrationId: MigrationId | null }): void {
    this.change(side, { record: { state, generation, migrationId } });
  }

  /** Nodes on which the guest runs, or stands paused as its owner wants it. */
  runners(): readonly NodeName[] {
    return [this.source, this.target].filter((side) => side.qemu !== 'gone' && side.qemu === this.#atWork()).map((side) => side.name);
  }

  resume(side: FakeSide): void {
    this.change(side, { qemu: this.#atWork() });
  }

  /** Its user switches it off. */
  shutsItselfDown(): void {
    this.wanted = 'stopped';
    this.change(this.source, { qemu: 'gone' });
  }

  /** Resolves as soon as `condition` holds. */
  async until(condition: () => boolean): Promise<void> {
    if (condition()) return;
    await new Promise<void>((resolve) => this.#waiting.push({ until: condition, resolve }));
  }

  /** Wakes those that wait for something outside the two sides. */
  notice(): void {
    for (const waiting of this.#waiting.filter(({ until }) => until())) {
      this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
      waiting.resolve();
    }
  }

  inventory(node: NodeName): NodeInventory {
    return {
      v: 1,
      node,
      bootId: `boot-${node}`,
      at: '2026-01-01T00:00:00Z',
      versions: { kedge: '0.1.0', protocol: 1, qemu: '7.2.22' },
      machineTypes: ['pc-q35-7.2'],
      cpu: { model: 'test', flags: ['sse2'], cores: 2, accelerator: 'tcg' },
      memory: { totalBytes: 4e9, availableBytes: 3e9 },
      load: 0,
      bridges: ['vmbr0'],
      storages: [
        { id: 'shared', type: 'dir', shared: true, enabled: true, identity: 'one', totalBytes: 1e9, freeBytes: 1e9 },
        { id: 'local', type: 'dir', shared: false, enabled: true, identity: node, totalBytes: 1e9, freeBytes: 1e9 },
      ],
      guests: [],
      slots: { bulk: 2 },
    };
  }

  generation(): ReturnType<typeof parseGeneration> {
    return parseGeneration(this.source.record?.generation ?? 1);
  }

  #atWork(): QemuState {
    if (this.wanted === 'stopped') return 'gone';
    return this.wanted === 'running' ? 'running' : 'paused';
  }
}
