/** A node without guests behind it: it keeps the rules of who owns what, waits as long as a real node would take, and answers alike. */
import { setTimeout as delay } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { beating, presenceIntervalMs } from '../../activities/beating.js';
import type { CopyResult, NodeActivities, StepRef } from '../../activities/interface.js';
import { finding } from '../../src/domain/checks.js';
import type { Generation, MigrationId, NodeName, Vmid } from '../../src/domain/ids.js';
import { KedgeError } from '../../src/domain/kedge-error.js';
import type { NodeInventory } from '../../src/domain/node-facts.js';
import { emptyActivities } from '../orchestration/empty-activities.js';
import { FIRST_GENERATION, firstGuests, fleetInventory, memoryOf, type FleetShape } from './fleet-guests.js';

/** Milliseconds of a real node's steps: the link test of a check, QEMU's start, the copy of a guest of some gigabytes over a fast network. */
const STEP_MS = { inspect: 600, claim: 50, prepare: 400, copy: 3_300, release: 200 } as const;

/** What is handed over. */
export interface HandOver {
  readonly to: NodeName;
  readonly vmid: Vmid;
  readonly generation: Generation;
}

export interface SimulatedNodeOptions {
  readonly node: NodeName;
  /** Its number in the fleet, from 0. */
  readonly at: number;
  readonly shape: FleetShape;
  /** The way to the other nodes; resolves when the other one owns the guest. */
  readonly handOver: (guest: HandOver) => Promise<void>;
}

interface Held {
  readonly generation: Generation;
  readonly migrationId: MigrationId | null;
}

export class SimulatedNode {
  readonly name: NodeName;
  readonly #options: SimulatedNodeOptions;
  readonly #held: Map<Vmid, Held>;
  /** Guests that were handed over, and under which generation: a repeated call is answered as the first one. */
  readonly #given = new Map<Vmid, Generation>();

  constructor(options: SimulatedNodeOptions) {
    this.name = options.node;
    this.#options = options;
    this.#held = new Map(firstGuests(options.shape, options.at).map((vmid) => [vmid, { generation: FIRST_GENERATION, migrationId: null }]));
  }

  /** The guests that it owns. */
  get guests(): readonly Vmid[] {
    return [...this.#held.keys()];
  }

  /** Becomes the owner; a repeated message changes nothing. */
  accept({ vmid, generation }: HandOver): void {
    const known = this.#held.get(vmid);
    if (known !== undefined && known.generation >= generation) return;
    this.#held.set(vmid, { generation, migrationId: null });
  }

  activities(): NodeActivities {
    return {
      ...emptyActivities(this.name),
      presence: () => this.#report(),
      inspectSource: (input) => during(STEP_MS.inspect, () => this.#inspectSource(input.vmid)),
      inspectTarget: () =>
        during(STEP_MS.inspect, () => ({
          findings: [],
          inventory: this.#inventory(),
          view: { node: this.name, bootId: 'fleet', record: { kind: 'missing' as const }, qemu: 'gone' as const },
        })),
      claimGuest: ({ step }) => during(STEP_MS.claim, () => this.#claim(step)),
      unclaimGuest: ({ step }) => during(STEP_MS.claim, () => this.#unclaim(step)),
      prepareTarget: () => during(STEP_MS.prepare, () => ({ host: '127.0.0.1', port: 1, tlsHostname: null, multifdChannels: 1, compression: 'zstd' as const })),
      copyAndSwitchOver: ({ step, target }) => beating(() => this.#copy(step, target)),
      releaseSource: () => during(STEP_MS.release, () => undefined),
    };
  }

  #inventory(): NodeInventory {
    return fleetInventory(this.#options.shape, { node: this.name, held: this.#held });
  }

  /** Heartbeats at the pace of a real node; ends with the worker. */
  async #report(): Promise<never> {
    const context = Context.current();
    for (;;) {
      context.heartbeat(this.#inventory());
      await context.sleep(presenceIntervalMs(this.#options.shape.nodes));
    }
  }

  #inspectSource(vmid: Vmid): Awaited<ReturnType<NodeActivities['inspectSource']>> {
    const held = this.#held.get(vmid);
    const inventory = this.#inventory();
    if (held === undefined) return { findings: [finding('guest-unknown', `Node ${this.name} has no guest ${vmid}`)], guest: null, inventory };
    return {
      findings: [],
      inventory,
      guest: {
        name: `simulated-guest-${vmid}`,
        generation: held.generation,
        wanted: 'running',
        config: 'memory: 4096\n',
        qemuVersion: '7.2.22',
        movement: 'live',
        kind: 'qemu',
        runningMachine: 'pc-q35-5.9',
        memoryBytes: memoryOf(vmid),
        bridges: ['vmbr0'],
        storages: [{ id: 'shared', shared: true, identity: 'one' }],
        volumes: [],
      },
    };
  }

  #claim({ vmid, migrationId, generation }: StepRef): Awaited<ReturnType<NodeActivities['claimGuest']>> {
    const held = this.#held.get(vmid);
    if (held?.generation !== generation - 1 || (held.migrationId !== null && held.migrationId !== migrationId)) {
      throw new KedgeError('not-owner', `Cannot claim guest ${vmid}: ${this.name} does not have it under generation ${generation - 1}, unclaimed`);
    }
    this.#held.set(vmid, { ...held, migrationId });
    return { generation, wanted: 'running', config: 'memory: 4096\n' };
  }

  #unclaim({ vmid, migrationId }: StepRef): void {
    const held = this.#held.get(vmid);
    if (held?.migrationId === migrationId) this.#held.set(vmid, { ...held, migrationId: null });
  }

  async #copy({ vmid, generation, migrationId }: StepRef, to: NodeName): Promise<CopyResult> {
    if (this.#given.get(vmid) === generation) return COPY;
    await delay(STEP_MS.copy);
    if (this.#held.get(vmid)?.migrationId !== migrationId) throw new KedgeError('not-owner', `Cannot hand guest ${vmid} over: ${this.name} does not hold it`);
    // Gone here before it is there: at no moment do two nodes own it.
    this.#held.delete(vmid);
    this.#given.set(vmid, generation);
    await this.#options.handOver({ to, vmid, generation });
    return COPY;
  }
}

function during<Answer>(ms: number, answer: () => Answer): Promise<Answer> {
  return beating(async () => {
    await delay(ms);
    return answer();
  });
}

const COPY: CopyResult = {
  rounds: [],
  bytesSent: 0,
  reattached: 0,
  expectedBlackoutMs: 0,
  blackout: { stopToResumeMs: 0, qemuDowntimeMs: 0 },
  switchoverAt: new Date(0).toISOString(),
  switchoverMs: 0,
  confirmed: true,
};
