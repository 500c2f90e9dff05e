import type { StepRef } from '../activities/interface.js';
import type { Forecast } from '../src/domain/forecast.js';
import { laterGeneration, migrationIdOf, type Generation, type NodeName } from '../src/domain/ids.js';
import type {
  BlackoutReport,
  CopyRound,
  MigrationKind,
  MigrationOutcome,
  MigrationPhase,
  MigrationStep,
  MigrationStory,
  OperatorQuestion,
  StepReport,
} from '../src/domain/migration.js';
import { readFailure } from '../src/domain/read-failure.js';
import type { ResolvedMigration } from '../src/domain/resolve-migration-options.js';
import type { SagaEvent } from './saga.js';
import { instantMs, workflowInstant, workflowTimeMs } from './workflow-time.js';

/** What a finished copy adds to the story. */
export interface CopyFacts {
  readonly rounds?: readonly CopyRound[];
  readonly bytesSent?: number;
  readonly blackout?: BlackoutReport | null;
}

/** Keeps the story of one migration and numbers its activity calls. Times are workflow time. */
export class StoryKeeper {
  readonly #migration: ResolvedMigration;
  readonly #startedAt = workflowInstant();
  readonly #steps: StepReport[] = [];
  readonly #warnings: string[] = [];
  #source: NodeName | null;
  #generation: Generation | null = null;
  #phase: MigrationPhase = 'validate';
  #outcome: MigrationOutcome | null = null;
  #endedAt: string | null = null;
  #copy: Required<CopyFacts> = { rounds: [], bytesSent: 0, blackout: null };
  #kind: MigrationKind | null = null;
  #forecast: Forecast | null = null;
  #offAt: string | null = null;
  #downtimeMs: number | null = null;
  #sequence = 0;
  #isOff = false;

  constructor(migration: ResolvedMigration) {
    this.#migration = migration;
    this.#source = migration.source;
  }

  /** The guest was found there. */
  foundOn(source: NodeName): void {
    this.#source = source;
  }

  /** How the guest moves, as the checks have found, and what they foresee. */
  movesAs(kind: MigrationKind, forecast: Forecast | null): void {
    this.#kind = kind;
    this.#forecast = forecast;
  }

  /** The guest was seen off at its source; and, with an instant, running again. */
  wentOff(offAt: string): void {
    this.#offAt = offAt;
  }
  cameUp(startedAt: string): void {
    if (this.#offAt !== null) this.#downtimeMs = Math.max(0, instantMs(startedAt) - instantMs(this.#offAt));
  }

  /** The source owns the guest under `generation`; the claim will issue the next one, which names the migration. */
  ownedUnder(generation: Generation): void {
    this.#generation = laterGeneration(generation, 1);
  }

  get source(): NodeName {
    if (this.#source === null) throw new Error('The source is asked for before the survey found it');
    return this.#source;
  }

  /** Order of the next activity call among all of this guest. */
  nextStep(): StepRef {
    const ref = this.ref;
    this.#sequence += 1;
    return { ...ref, sequence: this.#sequence };
  }

  /** The migration, as the nodes know it. */
  get ref(): Omit<StepRef, 'sequence'> {
    if (this.#generation === null) throw new Error('The migration is named before its generation is known');
    const { vmid } = this.#migration;
    return { vmid, migrationId: migrationIdOf(vmid, this.#generation), generation: this.#generation };
  }

  record(step: MigrationStep, event: SagaEvent, error?: unknown): void {
    switch (event) {
      case 'begun':
        this.#phase = step;
        this.#steps.push({ step, startedAt: workflowInstant(), durationMs: 0, outcome: 'done' });
        return;
      case 'done':
        this.#close(step, { outcome: 'done' });
        return;
      case 'failed': {
        const { code, message } = readFailure(error);
        this.#close(step, { outcome: 'failed', failure: { code, message } });
        return;
      }
      case 'undoing':
        this.#phase = 'rolling-back';
        return;
      case 'undone':
        this.#replace(step, (report) => (report.outcome === 'done' ? { ...report, outcome: 'undone' } : report));
        return;
      case 'skipped':
        this.warn(`Step ${step} was skipped by the operator: "kedge audit" shows what it left`);
    }
  }

  /** Splits the copy from the switchover at its end, as the node reports it. */
  switchedOver(at: string, durationMs: number): void {
    this.#replace('pre-copy', (report) => ({ ...report, durationMs: Math.max(0, instantMs(at) - instantMs(report.startedAt)) }));
    this.#steps.push({ step: 'switchover', startedAt: at, durationMs, outcome: 'done' });
  }

  copied(facts: CopyFacts): void {
    this.#copy = { ...this.#copy, ...facts };
  }

  /** Adds passes over the disks, numbered on from those before. */
  copiedMore(rounds: readonly CopyRound[], bytesSent: number): void {
    const before = this.#copy.rounds;
    this.#copy = {
      ...this.#copy,
      rounds: [...before, ...rounds.map((round, at) => ({ ...round, round: before.length + at + 1 }))],
      bytesSent: this.#copy.bytesSent + bytesSent,
    };
  }

  /** Tells of a hold for as long as `wait` takes. */
  async duringHold(wait: () => Promise<void>): Promise<void> {
    const phase = this.#phase;
    this.#phase = 'holding';
    await wait();
    this.#phase = phase;
  }

  warn(warning: string): void {
    if (!this.#warnings.includes(warning)) this.#warnings.push(warning);
  }

  /** The last word; `null` when nothing was begun. A loss of memory that is already told stays. */
  end(outcome: MigrationOutcome | null): void {
    this.#outcome ??= outcome;
    this.#phase = 'done';
    this.#endedAt = workflowInstant();
  }

  lostMemory(): void {
    this.#outcome = 'guest-lost-memory';
  }

  /** Its own system has switched the guest off on the way. */
  shutItselfDown(): void {
    this.#isOff = true;
  }

  get hasShutItselfDown(): boolean {
    return this.#isOff;
  }

  tell(question: OperatorQuestion | null): MigrationStory {
    const { vmid, target, requestedBy, options } = this.#migration;
    return {
      v: 1,
      id: this.#generation === null ? null : migrationIdOf(vmid, this.#generation),
      vmid,
      source: this.#source,
      target,
      generation: this.#generation,
      requestedBy,
      startedAt: this.#startedAt,
      endedAt: this.#endedAt,
      options,
      kind: this.#kind,
      phase: question === null ? this.#phase : 'needs-operator',
      outcome: this.#outcome,
      steps: this.#steps,
      rounds: this.#copy.rounds,
      bytesSent: this.#copy.bytesSent,
      blackout: this.#copy.blackout,
      downtimeMs: this.#downtimeMs,
      forecast: this.#forecast,
      warnings: this.#warnings,
      question,
    };
  }

  #close(step: MigrationStep, end: Pick<StepReport, 'outcome' | 'failure'>): void {
    this.#replace(step, (report) => ({ ...report, durationMs: workflowTimeMs() - instantMs(report.startedAt), ...end }));
  }

  #replace(step: MigrationStep, change: (report: StepReport) => StepReport): void {
    const at = this.#steps.findLastIndex((report) => report.step === step);
    const report = this.#steps[at];
    if (report !== undefined) this.#steps[at] = change(report);
  }
}
