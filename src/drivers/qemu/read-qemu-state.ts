import { z } from 'zod';
import { KedgeError } from '../../domain/kedge-error.js';
import type { QemuState } from '../../domain/ownership.js';
import type { QmpConnection } from '../qmp/qmp-connection.js';
import { classifyQemuState, RUN_STATES, type MigrationSide, type RunState } from './classify-qemu-state.js';
import { parseMigrationInfo, type MigrationInfo } from './migration-info.js';

/** One look at a QEMU: what it does, and what it says of its migration. */
export interface QemuReading {
  readonly state: Exclude<QemuState, 'gone' | 'unreachable'>;
  readonly runState: RunState;
  readonly migration: MigrationInfo;
}

/** A runstate changes at most a few times within milliseconds at a switchover. */
const LOOKS = 10;

/**
 * Reads runstate and migration status so that they belong together: the runstate is the same before and after.
 * @throws KedgeError of the connection (`qmp-timeout`, `qmp-disconnected`): then the state is unknown, not "gone"
 */
export async function readQemuState(qmp: QmpConnection, side: MigrationSide): Promise<QemuReading> {
  let runState = await readRunState(qmp);
  for (let look = 0; look < LOOKS; look += 1) {
    const migration = await readMigrationInfo(qmp);
    const after = await readRunState(qmp);
    if (after === runState) return { state: classifyQemuState({ runState, status: migration.status, side }), runState, migration };
    runState = after;
  }
  throw new KedgeError('outcome-unknown', 'Cannot read the state of QEMU: it changes faster than it can be read');
}

/** What `query-migrate` says now. */
export async function readMigrationInfo(qmp: QmpConnection): Promise<MigrationInfo> {
  return parseMigrationInfo(await qmp.execute('query-migrate'));
}

async function readRunState(qmp: QmpConnection): Promise<RunState> {
  const { status } = STATUS_ANSWER.parse(await qmp.execute('query-status'));
  return RUN_STATES.find((state) => state === status) ?? 'other';
}

const STATUS_ANSWER = z.object({ status: z.string() });
