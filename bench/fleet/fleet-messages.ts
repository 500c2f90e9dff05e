/** What the processes of a simulated fleet tell each other, as JSON over the channel that fork() gives them. */
import { z } from 'zod';
import { parseGeneration } from '../../src/domain/ids.js';
import { nodeNameSchema, vmidSchema } from '../../src/schema/id-schemas.js';

const handOver = { id: z.string(), to: nodeNameSchema, vmid: vmidSchema, generation: z.number().transform(parseGeneration) };

/** From a process to the one that started it. */
const fromChild = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ready') }),
  z.object({ kind: z.literal('failed'), reason: z.string() }),
  z.object({ kind: z.literal('handOver'), ...handOver }),
  z.object({ kind: z.literal('handedOver'), id: z.string() }),
  z.object({ kind: z.literal('moved') }),
  /** Who has which guests. */
  z.object({ kind: z.literal('guests'), held: z.array(z.object({ node: nodeNameSchema, vmids: z.array(vmidSchema) })) }),
  /** Each snapshot that the control worker took, milliseconds. */
  z.object({ kind: z.literal('looks'), tookMs: z.array(z.number()), failed: z.number() }),
]);
export type FromChild = z.output<typeof fromChild>;

/** From the process that started the others. */
const toChild = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('handOver'), ...handOver }),
  z.object({ kind: z.literal('handedOver'), id: z.string() }),
  z.object({ kind: z.literal('report') }),
]);
export type ToChild = z.output<typeof toChild>;

/** What a process is started with, its one argument. */
const childStart = z.object({
  address: z.string(),
  nodes: z.number(),
  guests: z.number(),
  polls: z.number(),
  /** Of `parts` processes for nodes this is number `part`, from 0. */
  part: z.number(),
  parts: z.number(),
  serverPid: z.number(),
  serverFolder: z.string(),
});
export type ChildStart = z.output<typeof childStart>;

export const parseFromChild = (message: unknown): FromChild => fromChild.parse(message);
export const parseToChild = (message: unknown): ToChild => toChild.parse(message);
export const parseChildStart = (argument: string | undefined): ChildStart => childStart.parse(JSON.parse(argument ?? ''));
