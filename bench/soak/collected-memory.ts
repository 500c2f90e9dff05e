import { connect } from 'node:net';
import { json } from 'node:stream/consumers';
import { z } from 'zod';

const collectedMemorySchema = z.object({
  residentBytes: z.number(),
  /** Objects of its main thread. */
  heapBytes: z.number(),
});
/** What a process holds after its garbage was collected. */
export type CollectedMemory = z.infer<typeof collectedMemorySchema>;

/** Where a process with `collect-on-demand.ts` listens, as its machine sees it. */
export const collectSocket = (pid: number): string => `/run/kedge/lab/collect-${pid}.sock`;

/** `socket`: the host's way to the socket of the process. @throws Error when nobody listens */
export async function collectMemory(socket: string): Promise<CollectedMemory> {
  return collectedMemorySchema.parse(await json(connect(socket)));
}
