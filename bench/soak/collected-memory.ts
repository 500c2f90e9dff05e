import { connect } from 'node:net';
import { text } from 'node:stream/consumers';

/** What a process holds after its garbage was collected. */
export interface CollectedMemory {
  readonly residentBytes: number;
  /** Objects of its main thread. */
  readonly heapBytes: number;
}

/** Where a process with `collect-on-demand.ts` listens, as its machine sees it. */
export const collectSocket = (pid: number): string => `/run/kedge/lab/collect-${pid}.sock`;

/** `socket`: the host's way to the socket of the process. @throws Error when nobody listens */
export async function collectMemory(socket: string): Promise<CollectedMemory> {
  return JSON.parse(await text(connect(socket))) as CollectedMemory;
}
