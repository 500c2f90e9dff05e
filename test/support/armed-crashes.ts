import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { expect, onTestFinished } from 'vitest';
import { waitUntil } from '../../lab/processes.js';
import { CRASH_HITS_FILE, type CrashPoint } from '../../src/domain/crash-points.js';
import type { LabWorld } from './lab-world.js';

const LOOK_EVERY_MS = 20;

/** Another one each day: a point dies before its effect on one day, after it on the next. */
export const CRASH_SEED = Number(process.env['KEDGE_CRASH_SEED'] ?? Math.floor(Date.now() / 86_400_000));

interface Armed {
  readonly point: CrashPoint;
  readonly machines: readonly string[];
}

/**
 * Deaths of workers at crash points that a test's flow comes past; with every other death of the control worker the Temporal server dies, too.
 * All have supervisors that start them anew. For one test, which makes it.
 */
export class ArmedCrashes {
  readonly #armed: Armed[] = [];
  readonly #watch: NodeJS.Timeout;
  #deathsOfControl = 0;
  #kills: Promise<void> = Promise.resolve();

  constructor(private readonly world: LabWorld) {
    this.#watch = setInterval(() => this.#look(), LOOK_EVERY_MS);
    onTestFinished(() => this.#close());
  }

  /** The worker of each of these machines that comes past a point dies there, once. */
  arm(machines: readonly string[], points: readonly CrashPoint[]): void {
    for (const machine of machines) writeFileSync(this.#file(machine, CRASH_HITS_FILE), '');
    for (const point of points) {
      const moment = (this.#armed.length + CRASH_SEED) % 2 === 0 ? 'before' : 'after';
      for (const machine of machines) writeFileSync(this.#file(machine, point), moment);
      this.#armed.push({ point, machines });
    }
  }

  /** Waits until a worker has died at every point: what comes after the last step of a flow may be late. Then no point is armed any more. */
  async allStruck(): Promise<void> {
    const open = (): readonly CrashPoint[] =>
      this.#armed.filter(({ point, machines }) => !machines.some((machine) => this.#deathsOf(machine).includes(point))).map(({ point }) => point);
    try {
      await waitUntil('all deaths', () => open().length === 0, { timeoutMs: 20_000, pauseMs: 50 }).catch(() => undefined);
      expect(open(), 'nobody died there').toEqual([]);
    } finally {
      await this.#close();
    }
  }

  async #close(): Promise<void> {
    clearInterval(this.#watch);
    await this.#kills;
    for (const { point, machines } of this.#armed.splice(0)) for (const machine of machines) rmSync(this.#file(machine, point), { force: true });
  }

  #look(): void {
    const killServer = (): Promise<void> => this.world.break('control', { kind: 'kill', target: 'temporal' });
    for (const deaths = this.#deathsOf('control').length; this.#deathsOfControl < deaths; this.#deathsOfControl += 1) {
      // One that is dead already can't be killed.
      if (this.#deathsOfControl % 2 === 1) this.#kills = this.#kills.then(killServer).catch(() => undefined);
    }
  }

  /** Points at which the machine's worker has died since they were armed. */
  #deathsOf(machine: string): readonly string[] {
    if (!this.#armed.some(({ machines }) => machines.includes(machine))) return [];
    return readFileSync(this.#file(machine, CRASH_HITS_FILE), 'utf8')
      .split('\n')
      .filter((line) => line.includes(' '))
      .map((line) => line.split(' ')[0] ?? '');
  }

  #file(machine: string, name: string): string {
    return this.world.inside(machine, `/run/kedge/crash/${name}`);
  }
}
