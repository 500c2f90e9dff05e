/** A cluster that answers from what a test puts into it, and remembers what it was asked. */
import type { CliContext } from '../../../src/cli/cli-context.js';
import type { Cluster } from '../../../src/cli/cluster.js';
import type { EventsLook } from '../../../src/client/events/event-verbs.js';
import type { MigrationView } from '../../../src/client/migration-view.js';
import { runCli } from '../../../src/cli/run-cli.js';
import { KedgeError } from '../../../src/domain/kedge-error.js';

export interface FakeCli {
  readonly out: string;
  readonly err: string;
  readonly exitCode: number;
  readonly closed: boolean;
}

export interface FakeOptions {
  readonly cluster?: Partial<Cluster>;
  readonly terminal?: boolean;
  readonly environment?: Record<string, string>;
  /** Receives the interrupt that a Ctrl-C would send. */
  readonly onReady?: (interrupt: () => void) => void;
}

/** Runs a command line over a fake cluster. */
export async function runFake(argv: readonly string[], options: FakeOptions = {}): Promise<FakeCli> {
  const { context, seen } = fakeContext(options);
  const exitCode = await runCli(argv, context);
  return { ...seen, exitCode };
}

/** A context over a fake cluster, and what was written and closed; a verb that the test does not expect fails it. */
export function fakeContext(options: FakeOptions = {}): { context: Omit<CliContext, 'setExitCode'>; seen: { out: string; err: string; closed: boolean } } {
  const seen = { out: '', err: '', closed: false };
  const unexpected = (verb: string) => () => Promise.reject(new KedgeError('internal', `The test does not expect ${verb}`));
  const base: Cluster = {
    nodes: [],
    migrationDefaults: {},
    blackouts: [],
    checkMigration: unexpected('checkMigration'),
    migrationAddress: (node) => `address-of-${node}`,
    startMigration: unexpected('startMigration'),
    watchMigration: () => viewsOf([]),
    showMigration: unexpected('showMigration'),
    listMigrations: unexpected('listMigrations'),
    cancelMigration: unexpected('cancelMigration'),
    releaseMigration: unexpected('releaseMigration'),
    decideMigration: unexpected('decideMigration'),
    listNodes: unexpected('listNodes'),
    cordonNode: unexpected('cordonNode'),
    confirmDead: unexpected('confirmDead'),
    readRecovery: unexpected('readRecovery'),
    readRecoveries: () => Promise.resolve([]),
    testFencing: unexpected('testFencing'),
    startEvacuation: unexpected('startEvacuation'),
    readEvacuation: unexpected('readEvacuation'),
    cancelEvacuation: unexpected('cancelEvacuation'),
    takeSnapshot: unexpected('takeSnapshot'),
    manageGuest: unexpected('manageGuest'),
    auditNode: unexpected('auditNode'),
    readSlots: () => Promise.resolve([]),
    readMoves: () => Promise.resolve([]),
    readSchedules: () => Promise.resolve([]),
    repair: unexpected('repair'),
    windows: {
      create: unexpected('windows.create'),
      list: () => Promise.resolve([]),
      show: unexpected('windows.show'),
      change: unexpected('windows.change'),
      pause: unexpected('windows.pause'),
      runNow: unexpected('windows.runNow'),
      cancel: unexpected('windows.cancel'),
      waiting: unexpected('windows.waiting'),
      answer: unexpected('windows.answer'),
      remove: unexpected('windows.remove'),
    },
    admission: { show: unexpected('admission.show'), set: unexpected('admission.set'), reset: unexpected('admission.reset') },
    events: {
      list: unexpected('events.list'),
      follow: () => looksOf([]),
    },
    hooks: {
      knownSince: unexpected('hooks.knownSince'),
      deliver: unexpected('hooks.deliver'),
      test: unexpected('hooks.test'),
    },
    balance: {
      start: unexpected('balance.start'),
      read: unexpected('balance.read'),
      cancel: unexpected('balance.cancel'),
      readBalancer: unexpected('balance.readBalancer'),
      ensureBalancer: unexpected('balance.ensureBalancer'),
    },
    close() {
      seen.closed = true;
      return Promise.resolve();
    },
  };
  const context: Omit<CliContext, 'setExitCode'> = {
    out: (text) => void (seen.out += text),
    err: (text) => void (seen.err += text),
    terminal: { out: options.terminal ?? false, err: options.terminal ?? false, columns: 200 },
    environment: { NO_COLOR: '1', ...options.environment },
    now: () => Date.parse('2026-03-01T12:00:10Z'),
    openCluster: () => Promise.resolve({ ...base, ...options.cluster }),
    onInterrupt(listener) {
      options.onReady?.(listener);
      return () => undefined;
    },
  };
  return { context, seen };
}

/** A watch that shows these views one after the other, then ends. */
export async function* viewsOf(views: readonly MigrationView[]): AsyncGenerator<MigrationView, void> {
  for (const view of views) yield await Promise.resolve(view);
}

export async function* looksOf(looks: readonly EventsLook[]): AsyncGenerator<EventsLook, void> {
  for (const look of looks) yield await Promise.resolve(look);
}
