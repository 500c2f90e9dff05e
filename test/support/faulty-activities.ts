import type { StepRef } from '../../activities/interface.js';
import { isRecord } from '../../src/domain/is-record.js';
import type { FakeNodeActivities } from './fake-node.js';
import type { FakeWorld } from './fake-world.js';
import type { FakeActivityName, Outcomes } from './outcomes.js';

export interface FaultyOptions {
  readonly worldOf: (vmid: number) => FakeWorld | undefined;
  readonly outcomesOf: (vmid: number) => Outcomes;
  readonly activitiesOf: (world: FakeWorld) => FakeNodeActivities;
}

const NAMES = [
  'inspectSource',
  'inspectTarget',
  'claimGuest',
  'unclaimGuest',
  'prepareTarget',
  'revokeTarget',
  'cancelStream',
  'watchHeldGuest',
  'releaseHold',
  'settleMigration',
  'confirmTarget',
  'examineDoubt',
  'takeOverCopy',
  'releaseSource',
  'copyAndSwitchOver',
  'prepareCopy',
  'copyVolumes',
  'shutDownGuest',
  'verifyCopy',
  'handOverCopy',
  'startMoved',
] as const satisfies readonly FakeActivityName[];

/** The fake nodes' activities for Temporal: each call finds its guest's world and meets the outcome planned for it. */
export function faultyActivities(options: FaultyOptions): Record<string, (input: unknown) => Promise<unknown>> {
  const counts = new Map<string, number>();
  return Object.fromEntries(NAMES.map((name) => [name, (input: unknown) => run(name, input)]));

  async function run(name: FakeActivityName, input: unknown): Promise<unknown> {
    const step = stepOf(input);
    const vmid = step?.vmid ?? (isRecord(input) ? Number(input['vmid']) : 0);
    const world = options.worldOf(vmid);
    if (world === undefined) throw new Error(`No world for guest ${vmid}`);
    world.calls.push(name);
    world.notice();
    const key = `${vmid}:${name}`;
    const count = (counts.get(key) ?? 0) + 1;
    counts.set(key, count);
    const effect = async (): Promise<unknown> => {
      const result: unknown = await Reflect.apply(options.activitiesOf(world)[name], undefined, [input]);
      return result;
    };
    const outcome = options.outcomesOf(vmid)[name];
    return outcome !== undefined && count <= outcome.times ? outcome.act({ effect, world, step }) : effect();
  }
}

function stepOf(input: unknown): StepRef | null {
  const step: unknown = isRecord(input) ? input['step'] : undefined;
  return isStep(step) ? step : null;
}

function isStep(value: unknown): value is StepRef {
  return isRecord(value) && typeof value['vmid'] === 'number' && typeof value['sequence'] === 'number';
}
