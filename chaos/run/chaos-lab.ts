/** The lab of a run: two nodes, one guest of each kind, and the means to break and heal it. */
import { changeLab } from '../../lab/change-lab.js';
import { createWitness } from '../../lab/create-witness.js';
import { createWitnessContainer } from '../../lab/create-witness-container.js';
import { labDown } from '../../lab/down.js';
import { breakMachine, type Wish } from '../../lab/faults/break-machine.js';
import { healBreaks } from '../../lab/faults/heal-machine.js';
import type { Break, LabState, ProcessIdentity } from '../../lab/lab-state.js';
import { machineOf, readLab } from '../../lab/lab-store.js';
import { insidePath } from '../../lab/status.js';
import { labUp } from '../../lab/up.js';
import { connectLab } from '../../lab/wait-for-lab.js';
import type { KedgeClient } from '../../src/client/kedge-client.js';
import { KedgeError } from '../../src/domain/kedge-error.js';
import type { GuestKind } from '../plan/round-plan.js';

const MIB = 2 ** 20;
const GIB = 2 ** 30;

export interface ChaosGuest {
  readonly vmid: number;
  readonly kind: GuestKind;
  readonly isContainer: boolean;
  /** Its disks lie on the node: it is shut down for a move. */
  readonly isLocal: boolean;
}

/** One of each kind. They share the nodes, so that a fault of one round meets the others as bystanders. */
export const GUESTS: readonly ChaosGuest[] = [
  { vmid: 101, kind: 'live', isContainer: false, isLocal: false },
  { vmid: 102, kind: 'offline', isContainer: false, isLocal: true },
  { vmid: 103, kind: 'container', isContainer: true, isLocal: true },
  { vmid: 104, kind: 'bare', isContainer: false, isLocal: false },
];

export class ChaosLab {
  readonly name: string;
  readonly kedge: KedgeClient;
  #lab: LabState;

  private constructor(name: string, { lab, kedge }: { readonly lab: LabState; readonly kedge: KedgeClient }) {
    this.name = name;
    this.#lab = lab;
    this.kedge = kedge;
  }

  /** Builds it with its guests running on node1. @throws KedgeError `already-exists` when a lab of this name is there, `lab-failed` */
  static async open(name: string, progress: (text: string) => void): Promise<ChaosLab> {
    const { lab, built } = await labUp(name, { nodes: 2, nodeMemoryBytes: 4 * GIB, nodeCores: 2, nodeDiskBytes: GIB, slow: {} }, progress);
    if (!built) throw new KedgeError('already-exists', `Cannot build lab "${name}": it is there; remove it with "kedge lab down --name ${name}"`);
    try {
      const place = { node: 'node1', start: true };
      const machine = { memoryMiB: 160, disks: [64], onboot: true };
      await createWitness(lab, { ...machine, vmid: 101, name: 'chaos-live', dirtyRate: 8 * MIB, workingSet: 32 * MIB, storage: 'shared' }, place);
      await createWitness(lab, { ...machine, vmid: 104, name: 'chaos-bare', dirtyRate: 8 * MIB, workingSet: 32 * MIB, storage: 'shared', disks: [] }, place);
      await createWitness(lab, { ...machine, vmid: 102, name: 'chaos-offline', dirtyRate: MIB, workingSet: 8 * MIB, storage: 'local' }, place);
      const container = { vmid: 103, name: 'chaos-container', memoryMiB: 64, unprivileged: false, storage: 'local', tickMs: 5, files: 20, mountPoints: 0 };
      await createWitnessContainer(lab, { ...container, onboot: true }, place);
      return new ChaosLab(name, { lab: readLab(name), kedge: await connectLab(lab, 30_000) });
    } catch (error) {
      await labDown(name);
      throw error;
    }
  }

  /** The lab as it was after the last change by us: nobody else changes it. */
  get state(): LabState {
    return this.#lab;
  }

  get nodes(): readonly string[] {
    return this.#lab.machines.filter(({ role }) => role === 'node').map(({ name }) => name);
  }

  /** PID 1 of a machine; null while its power is off. */
  initOf(machine: string): ProcessIdentity | null {
    return machineOf(this.#lab, machine).init;
  }

  /** A path inside a node as the host reaches it; null while its power is off. */
  inside(node: string, path: string): string | null {
    const init = this.initOf(node);
    return init === null ? null : insidePath(init, path);
  }

  /** Breaks a machine; answers the numbers of the breaks that this made, for `heal`. */
  async break(machine: string, wish: Wish): Promise<readonly number[]> {
    return changeLab(this.name, async (lab) => {
      const known = lab.breaks.map(({ id }) => id);
      this.#lab = await breakMachine(lab, machine, wish);
      return this.#lab.breaks.map(({ id }) => id).filter((id) => !known.includes(id));
    });
  }

  /** Heals what `chosen` says; everything by default. */
  async heal(chosen: (each: Break) => boolean = () => true): Promise<void> {
    await changeLab(this.name, async (lab) => {
      this.#lab = (await healBreaks(lab, chosen)).lab;
    });
  }

  async close(): Promise<void> {
    await this.kedge.close();
    await labDown(this.name);
  }
}
