import { changeLab } from '../../lab/change-lab.js';
import { breakMachine } from '../../lab/faults/break-machine.js';
import { healBreaks } from '../../lab/faults/heal-machine.js';
import { parseVmid } from '../../src/domain/ids.js';
import { KedgeError } from '../../src/domain/kedge-error.js';
import type { MigrationOptions, MigrationStep, MigrationStory } from '../../src/domain/migration.js';
import { say, withBenchLab, type BenchLab } from '../live/bench-lab.js';
import { benchNode, type BenchNode } from '../live/bench-node.js';
import { copyRaw } from '../raw/rsync-raw.js';
import { rowOf, type Row, type SuiteOptions } from '../report.js';
import { offContainer, offMachine, type OffGuest } from './off-guest.js';

const GIB = 1024 ** 3;
const MEBIBYTES = 2_048;
const FILES = 50_000;
const LINK = '100mbit';
/** Over the bare network they vary by half with whatever else the machine does; over the slow link nothing varies. */
const COPIES_PER_RUN = 3;
const PERCENTS = [5, 1, 20] as const;
const GUESTS: readonly { readonly label: string; readonly guest: OffGuest }[] = [
  { label: '', guest: offMachine({ vmid: 201, format: 'raw', mebibytes: MEBIBYTES }) },
  { label: ' qcow2', guest: offMachine({ vmid: 202, format: 'qcow2', mebibytes: MEBIBYTES }) },
  { label: ' container', guest: offContainer({ vmid: 203, files: FILES }) },
];

/**
 * Copies against bare rsync with the same flags, files and transport: first over the bare network (the copy alone), then over a link of
 * 100 Mbit/s (the time off). The guests are off all the time, so that neither boot nor shutdown counts; the pre-sync is that of a hold.
 */
export function offlineSuite({ runs }: SuiteOptions): Promise<readonly Row[]> {
  return withBenchLab(
    async (bench) => {
      const rows: Row[] = [];
      for (const { label, guest } of GUESTS) {
        say(`guest ${guest.vmid}: filling its disk`);
        const bed = new OfflineBed(bench, guest);
        await guest.create(bench, bed.source);
        rows.push(...(await measure(bed, { label, runs })));
        await bed.destroy();
      }
      return [...rows].sort((left, right) => Number(right.name.startsWith('rsync')) - Number(left.name.startsWith('rsync')));
    },
    { nodeDiskBytes: 12 * GIB },
  );
}

async function measure(bed: OfflineBed, { label, runs }: { label: string; runs: number }): Promise<Row[]> {
  const phase = { ours: new Array<number>(), peer: new Array<number>() };
  const full: number[] = [];
  const off = new Map<number, number[]>(PERCENTS.map((percent) => [percent, []]));
  for (let run = 0; run <= runs; run += 1) {
    // The first warms the caches up.
    const warmsUp = run === 0;
    for (let copies = 0; copies < (warmsUp ? 1 : COPIES_PER_RUN); copies += 1) {
      const peer = await bed.copyRaw();
      const ours = await bed.copyWhole();
      say(`${bed.name}, run ${run} of ${runs}: copied in ${seconds(ours)} against ${seconds(peer)}`);
      if (warmsUp) continue;
      phase.ours.push(ours);
      phase.peer.push(peer);
    }
    if (warmsUp) continue;
    full.push(await bed.overSlowLink(() => bed.copyRaw()));
    for (const percent of PERCENTS) {
      const downtime = await bed.downtime(percent);
      off.get(percent)?.push(downtime);
      say(`${bed.name}, run ${run} of ${runs}: off for ${seconds(downtime)} with ${percent} % rewritten, against ${seconds(full.at(-1) ?? 0)}`);
    }
  }
  return [
    rowOf(`rsync phase${label}`, 'ms', phase),
    ...PERCENTS.map((percent) => rowOf(`offline downtime${label}${percent === 5 ? '' : ` ${percent} %`}`, 'ms', { ours: off.get(percent) ?? [], peer: full })),
  ];
}

/** One guest between two nodes. */
class OfflineBed {
  readonly #bench: BenchLab;
  readonly #guest: OffGuest;
  #source: BenchNode;
  #target: BenchNode;

  constructor(bench: BenchLab, guest: OffGuest) {
    this.#bench = bench;
    this.#guest = guest;
    this.#source = benchNode(bench.lab, 'node1');
    this.#target = benchNode(bench.lab, 'node2');
  }

  get name(): string {
    return `guest ${this.#guest.vmid}`;
  }
  get source(): BenchNode {
    return this.#source;
  }

  /** Milliseconds of a whole copy with bare rsync, which changes nothing. */
  copyRaw(): Promise<number> {
    const { path, kind } = this.#guest;
    return copyRaw({ path, kind, source: this.#source, target: this.#target });
  }

  /** Moves the guest; milliseconds that its whole copy took. */
  async copyWhole(): Promise<number> {
    const { durationMs } = stepOf(await this.#moved({}), 'final-sync');
    return durationMs;
  }

  /** Moves the guest after a pre-sync, with a part rewritten in between; milliseconds from the end of the shutdown to the start. */
  async downtime(percent: number): Promise<number> {
    const story = await this.#moved({ hold: true }, async () => {
      await this.#guest.rewrite(this.#source, percent);
    });
    const start = stepOf(story, 'start');
    return Date.parse(start.startedAt) + start.durationMs - Date.parse(stepOf(story, 'final-sync').startedAt);
  }

  async overSlowLink<Result>(work: () => Promise<Result>): Promise<Result> {
    const { name } = this.#bench.lab;
    const shape = { kind: 'shape', network: 'migration', direction: 'out', rate: LINK } as const;
    for (const node of [this.#source, this.#target]) await changeLab(name, (lab) => breakMachine(lab, node.name, shape));
    try {
      return await work();
    } finally {
      await changeLab(name, (lab) => healBreaks(lab, ({ fault }) => fault.kind === 'shape'));
    }
  }

  destroy(): Promise<unknown> {
    return this.#bench.kedge.manageGuest({ node: this.#source.name, command: { verb: 'destroy', vmid: parseVmid(this.#guest.vmid) } });
  }

  async #moved(options: Partial<MigrationOptions>, inHold?: () => Promise<void>): Promise<MigrationStory> {
    const { kedge } = this.#bench;
    const target = this.#target.name;
    const ref = await kedge.startMigration({ vmid: parseVmid(this.#guest.vmid), target, source: this.#source.name, requestedBy: 'bench', options });
    const until = async (reached: (phase: string | null) => boolean): Promise<MigrationStory> => {
      for await (const { status, phase, story, failure } of kedge.watchMigration(ref)) {
        if (status === 'failed') throw new KedgeError('rolled-back', `Cannot measure: ${failure?.message ?? 'the migration failed'}`);
        if (story !== null && (reached(phase) || status === 'completed')) return story;
      }
      throw new KedgeError('internal', 'Cannot measure: the migration was lost sight of');
    };
    if (inHold === undefined) await until(() => false);
    else {
      await until((phase) => phase === 'holding');
      await inHold();
      await this.overSlowLink(async () => {
        await kedge.releaseMigration(ref);
        await until(() => false);
      });
    }
    const story = await until(() => false);
    [this.#source, this.#target] = [this.#target, this.#source];
    return story;
  }
}

function stepOf({ steps }: MigrationStory, name: MigrationStep): MigrationStory['steps'][number] {
  const step = steps.find((each) => each.step === name);
  if (step === undefined) throw new KedgeError('internal', `Cannot measure: the migration had no step ${name}`);
  return step;
}

const seconds = (milliseconds: number): string => `${(milliseconds / 1_000).toFixed(1)} s`;
