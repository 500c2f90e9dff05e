import { z } from 'zod';
import { GUEST_KINDS, type GuestView, type OwnershipRecord, QEMU_STATES, type RecordView, WANTED_STATES } from '../domain/ownership.js';
import { generationSchema, migrationIdSchema, nodeNameSchema, vmidSchema } from './id-schemas.js';

const base = {
  vmid: vmidSchema,
  kind: z.enum(GUEST_KINDS),
  generation: generationSchema,
  wanted: z.enum(WANTED_STATES),
  bootId: z.string().min(1),
};
const claim = { migrationId: migrationIdSchema, peer: nodeNameSchema };
const optionalClaim = { migrationId: migrationIdSchema.exactOptional(), peer: nodeNameSchema.exactOptional() };

const ownershipRecordSchema: z.ZodType<OwnershipRecord> = z.discriminatedUnion('state', [
  z.object({ ...base, ...optionalClaim, state: z.literal('owned') }),
  z.object({ ...base, ...claim, state: z.literal('incoming') }),
  z.object({ ...base, ...claim, state: z.literal('armed') }),
  z.object({ ...base, ...claim, state: z.literal('releasing') }),
  z.object({ ...base, ...claim, state: z.literal('released') }),
  z.object({ ...base, ...claim, state: z.literal('revoked'), ran: z.enum(['no', 'maybe']) }),
]);

const recordViewSchema: z.ZodType<RecordView> = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('record'), record: ownershipRecordSchema }),
  z.object({ kind: z.literal('missing') }),
  z.object({ kind: z.literal('unreadable'), reason: z.string() }),
]);

/** What one node says of one guest, as it comes over the wire. Unknown keys of a newer node are dropped. */
export const guestViewSchema: z.ZodType<GuestView> = z.object({
  node: nodeNameSchema,
  bootId: z.string().min(1),
  record: recordViewSchema,
  qemu: z.enum(QEMU_STATES),
});
