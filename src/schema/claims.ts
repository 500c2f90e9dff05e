import { z } from 'zod';

/** claims.yaml: facts of a node that a lab overrides to see the checks refuse. Unknown keys are refused. */
export const claimsSchema = z.strictObject({
  /** Version of QEMU, e.g. `6.2.0`. */
  qemu: z.string().optional(),
  /** Version of Kedge, e.g. `0.0.9`. */
  kedge: z.string().optional(),
  /** Name of the cluster. */
  cluster: z.string().optional(),
  /** Version of the peer protocol. */
  kedgeProtocol: z.int().optional(),
  /** The oldest one that it still speaks beside the claimed one. */
  kedgeProtocolOldest: z.int().optional(),
  /** Bytes. */
  memoryAvailable: z.int().min(0).optional(),
  bridges: z.array(z.string()).optional(),
  cpuFlags: z.array(z.string()).optional(),
});

/** Overridden facts; an absent one is true. */
export type Claims = Readonly<z.output<typeof claimsSchema>>;
