/**
 * The words between two node workers: newline JSON, one object a line, over ssh and a unix socket.
 *
 *   source worker ──ssh2──► sshd of the peer ──exec──► kedge peer --from <source> ──peer.sock──► target worker
 *   relay → worker   {"peer":"node1"}                          first line: who was let in by which key
 *   caller → worker  {"id":1,"op":"hello","deadlineMs":500,"args":{…}}
 *   worker → caller  {"id":1,"ok":{…}}   or   {"id":1,"error":{"code":"…","message":"…","details":{…}}}
 *
 * Answers come in the order in which the work ends. An error with id null ends the connection.
 * Unknown keys are dropped, unknown operations refused: so a newer node may talk to an older one. `hello` tells which versions each speaks,
 * and who asks for more than the end of a migration compares them first (compare-protocol.ts).
 */
import { z } from 'zod';
import { WANTED_STATES } from '../../domain/ownership.js';
import { guestViewSchema } from '../../schema/guest-view.js';
import { generationSchema, migrationIdSchema, nodeNameSchema, vmidSchema } from '../../schema/id-schemas.js';

/** Longest line of the protocol in bytes; bounds what one connection can make a worker keep. */
export const LINE_LIMIT_BYTES = 16 * 1024 * 1024;

const migrationStep = z.object({ vmid: vmidSchema, migrationId: migrationIdSchema, generation: generationSchema });

const probeToken = z.string().regex(/^[0-9a-f]{32}$/);

/** Every operation with the shapes of its arguments and of its answer. */
export const PEER_OPERATIONS = {
  /** Who are you, in which boot, and what do your clocks say: the steady one, which steps of the other don't move, and the wall's (milliseconds since the epoch)? */
  hello: {
    args: z.object({ version: z.int(), oldest: z.int().optional(), node: nodeNameSchema }),
    answer: z.object({
      version: z.int(),
      oldest: z.int().optional(),
      node: nodeNameSchema,
      bootId: z.string().min(1),
      clockMs: z.number(),
      wallMs: z.number().optional(),
    }),
  },
  /** What do you know of this guest? Changes nothing. */
  observe: { args: z.object({ vmid: vmidSchema }), answer: guestViewSchema },
  /** `incoming` → `armed`, answered only after it is durable. */
  arm: { args: migrationStep.extend({ wanted: z.enum(WANTED_STATES).optional() }), answer: z.object({ armed: z.literal(true) }) },
  /** `armed` → `owned`, then the guest runs; a repeated go is answered `alreadyDone`. */
  go: { args: migrationStep.extend({ mode: z.literal('offline').optional() }), answer: z.object({ resumedAtMs: z.number(), alreadyDone: z.boolean() }) },
  /** Give the migration up for ever; answered only after it is durable and QEMU is gone. `superseded`: the guest has gone on since, so nobody may run it by this answer. */
  revoke: { args: migrationStep, answer: z.object({ ran: z.enum(['no', 'maybe', 'superseded']) }) },
  /**
   * Let me write to the copy of this volume; repeatable, needed again after a reboot. No token: it was found equal and published, nothing may
   * change in it any more. `isEmpty`: nothing was copied yet.
   */
  grant: { args: migrationStep.extend({ volume: z.string() }), answer: z.object({ token: z.string().nullable(), isEmpty: z.boolean() }) },
  /** End my writing to this copy and tell the digest of what it holds; may take minutes. */
  digest: { args: migrationStep.extend({ volume: z.string() }), answer: z.object({ digest: z.string() }) },
  /** The copy is equal: give it its final name, answered only after it is durable. */
  publish: { args: migrationStep.extend({ volume: z.string() }), answer: z.object({ published: z.literal(true) }) },
  /** Run your local recovery for this guest. */
  settle: { args: z.object({ vmid: vmidSchema }), answer: z.object({ accepted: z.literal(true) }) },
  /** Measures the control path: a payload goes there, its length in characters comes back. */
  probe: { args: z.object({ payload: z.string() }), answer: z.object({ bytes: z.number() }) },
  /** Listen on your address in this network (null: your migration address) for one short probe that bears this secret; `busy`: a migration uses that network. */
  openProbe: {
    args: z.object({ token: probeToken, network: z.string().nullable() }),
    answer: z.object({ host: z.string(), udpPort: z.int(), tcpPort: z.int(), busy: z.boolean() }),
  },
  /** How much of the probe has arrived? `close`: it is over. */
  tallyProbe: {
    args: z.object({ token: probeToken, small: z.int().min(0), large: z.int().min(0), close: z.boolean() }),
    answer: z.object({ arrived: z.int(), largeArrived: z.int(), bytesPerSecond: z.number().nullable() }),
  },
} as const;

/** Name of an operation. */
export type PeerOperation = keyof typeof PEER_OPERATIONS;

/** Arguments and answers of each operation, as parsed. */
export type PeerOperations = {
  readonly [Op in PeerOperation]: {
    readonly args: z.output<(typeof PEER_OPERATIONS)[Op]['args']>;
    readonly answer: z.output<(typeof PEER_OPERATIONS)[Op]['answer']>;
  };
};

/** One request as the handler sees it. */
export type PeerRequest = { readonly [Op in PeerOperation]: { readonly op: Op; readonly args: PeerOperations[Op]['args'] } }[PeerOperation];

/** Any answer; the server refuses to send one that does not fit the operation. */
export type PeerAnswer = PeerOperations[PeerOperation]['answer'];

/** The shape of each operation's answer, keyed so that the compiler keeps operation and answer together. */
export const PEER_ANSWERS: { readonly [Op in PeerOperation]: z.ZodType<PeerOperations[Op]['answer']> } = {
  hello: PEER_OPERATIONS.hello.answer,
  observe: PEER_OPERATIONS.observe.answer,
  arm: PEER_OPERATIONS.arm.answer,
  go: PEER_OPERATIONS.go.answer,
  revoke: PEER_OPERATIONS.revoke.answer,
  grant: PEER_OPERATIONS.grant.answer,
  digest: PEER_OPERATIONS.digest.answer,
  publish: PEER_OPERATIONS.publish.answer,
  settle: PEER_OPERATIONS.settle.answer,
  probe: PEER_OPERATIONS.probe.answer,
  openProbe: PEER_OPERATIONS.openProbe.answer,
  tallyProbe: PEER_OPERATIONS.tallyProbe.answer,
};

/** The line of the relay. */
export const introductionSchema = z.object({ peer: nodeNameSchema });

/** No call may ask for more: a longer wait than a timer can hold would end at once. */
const LONGEST_DEADLINE_MS = 24 * 60 * 60 * 1000;

/** What all requests share; `deadlineMs` is how long the caller waits, so that nobody works on for nobody. */
export const requestHeadSchema = z.object({
  id: z.int().positive(),
  op: z.string(),
  deadlineMs: z.number().positive().max(LONGEST_DEADLINE_MS),
  args: z.unknown(),
});

/** An error of the peer: a code of its error table, which may be newer than ours. */
const errorBodySchema = z.object({ code: z.string(), message: z.string(), details: z.record(z.string(), z.unknown()).default({}) });
export type ErrorBody = z.output<typeof errorBodySchema>;

/** A line of the answering side; with an error, `id` null means the connection as a whole. */
export const answerLineSchema = z.union([
  z.object({ id: z.int().positive(), ok: z.json() }),
  z.object({ id: z.int().positive().nullable(), error: errorBodySchema }),
]);

/** Tells whether `value` names an operation of this version. */
export function isPeerOperation(value: string): value is PeerOperation {
  return Object.hasOwn(PEER_OPERATIONS, value);
}
