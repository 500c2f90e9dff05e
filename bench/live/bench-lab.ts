import { labDown } from '../../lab/down.js';
import { nodeNames } from '../../lab/address-plan.js';
import type { LabState } from '../../lab/lab-state.js';
import { labUp } from '../../lab/up.js';
import { connectKedge } from '../../src/client/connect-kedge.js';
import type { KedgeClient } from '../../src/client/kedge-client.js';
import { parseNodeName } from '../../src/domain/ids.js';

/** A lab of two nodes that lives as long as one measurement. */
export interface BenchLab {
  readonly lab: LabState;
  readonly kedge: KedgeClient;
}

const GIB = 1024 ** 3;

/** Builds the lab, runs `work` with it, and takes it down, whatever happened. @throws KedgeError `already-exists` when a lab of this name is there */
export async function withBenchLab<Result>(
  work: (bench: BenchLab) => Promise<Result>,
  { nodeDiskBytes = GIB, name = 'bench', nodeOptions }: { readonly nodeDiskBytes?: number; readonly name?: string; readonly nodeOptions?: string } = {},
): Promise<Result> {
  const interrupted = (): void => {
    void labDown(name).finally(() => process.exit(130));
  };
  // For Node.js in the workers, for as long as the lab lives.
  if (nodeOptions !== undefined) process.env['KEDGE_LAB_NODE_OPTIONS'] = nodeOptions;
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
  try {
    const { lab } = await labUp(name, { nodes: 2, nodeMemoryBytes: 8 * GIB, nodeCores: 2, nodeDiskBytes, slow: {} }, say);
    const kedge = await connectKedge({
      address: lab.temporal.hostAddress,
      namespace: 'default',
      nodes: nodeNames(2).map(parseNodeName),
      giveUpAfterMs: 30_000,
    });
    try {
      return await work({ lab, kedge });
    } finally {
      await kedge.close();
    }
  } finally {
    process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
    delete process.env['KEDGE_LAB_NODE_OPTIONS'];
    await labDown(name);
  }
}

/** Progress goes to stderr: stdout is the table and its line of JSON. */
export function say(text: string): void {
  process.stderr.write(`bench: ${text}\n`);
}
