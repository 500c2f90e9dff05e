import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { grantWaits, largestAnswer, type GrantWaits } from './grant-waits.js';
import { historySizes, type HistorySize } from './history-sizes.js';

/** What the server has written of the whole. */
export interface FleetHistories {
  readonly drains: readonly HistorySize[];
  readonly migrations: readonly HistorySize[];
  readonly admissions: readonly HistorySize[];
  readonly presences: readonly HistorySize[];
  readonly grants: GrantWaits;
  /** Largest answer of a call to the control worker in a drain's history, bytes. */
  readonly largestAnswer: number;
}

/** The server's index is a moment behind what has ended. */
const INDEX_LAG_MS = 2_000;

export async function readFleet(client: Client): Promise<FleetHistories> {
  await sleep(INDEX_LAG_MS);
  const drains = await historySizes(client, 'evacuateNode');
  const migrations = await historySizes(client, 'migrateGuest');
  const admissions = await historySizes(client, 'admission');
  const presences = await historySizes(client, 'nodePresence');
  return {
    drains,
    migrations,
    admissions,
    presences,
    grants: await grantWaits(client, { admissions, migrations }),
    largestAnswer: await largestAnswer(client, drains),
  };
}
