import { Client, Connection } from '@temporalio/client';
import { collectAudit } from '../../src/cli/collect-audit.js';
import { findLeftovers } from '../../src/domain/audit.js';
import { observerSocket } from '../../lab/witness-place.js';
import { readWitness } from '../../lab/witness/read-witness.js';
import { witnessPlace } from '../../lab/witness-place.js';
import { witnessGuestConfig } from '../../lab/witness/witness-guest-config.js';
import { say, withBenchLab } from '../live/bench-lab.js';
import { benchMachine, benchNode } from '../live/bench-node.js';
import { OurGuest } from '../live/our-guest.js';
import { waitUntilBusy } from '../live/wait-until-busy.js';
import { judge, type Judged } from './judge.js';
import { quantitiesOf } from './quantities.js';

const MIB = 1024 ** 2;
const VMID = 101;
const BOOT_TIMEOUT_MS = 180_000;

export interface SoakResult {
  readonly migrations: number;
  readonly judged: readonly Judged[];
  /** What ended otherwise than with the guest on the other node. */
  readonly failures: readonly string[];
  readonly leftovers: number;
  /** What the witness in the guest, and its observer, found wrong. */
  readonly witness: readonly string[];
}

/** Moves a guest that writes its memory so many times, one migration right after the other, and measures after every `every`. */
export function soak({ migrations, every }: { readonly migrations: number; readonly every: number }): Promise<SoakResult> {
  return withBenchLab(
    async (bench) => {
      const { lab, kedge } = bench;
      const nodes = [benchNode(lab, 'node1'), benchNode(lab, 'node2')] as const;
      const config = witnessGuestConfig({ vmid: VMID, name: 'soak', memoryMiB: 192, workingSet: 32 * MIB, dirtyRate: 4 * MIB, disks: [64], storage: 'shared' });
      const guest = await OurGuest.create(bench, { vmid: VMID, config, nodes });
      await waitUntilBusy({ observerSocket: observerSocket(lab), vmid: VMID, timeoutMs: BOOT_TIMEOUT_MS });
      const connection = await Connection.connect({ address: lab.temporal.hostAddress });
      try {
        const quantities = quantitiesOf({ client: new Client({ connection }), nodes, control: benchMachine(lab, 'control') });
        const at: number[] = [];
        const samples: (readonly number[])[] = [];
        const sample = async (done: number): Promise<void> => {
          const values = await Promise.all(quantities.map((quantity) => quantity.measure()));
          at.push(done);
          samples.push(values);
          say(
            `${done} of ${migrations}: ${quantities.map(({ name, unit }, index) => `${name} ${Number((values[index] ?? 0).toFixed(1))}${unit === '' ? '' : ` ${unit}`}`).join('; ')}`,
          );
        };
        const failures: string[] = [];
        await sample(0);
        for (let done = 1; done <= migrations; done += 1) {
          const { story, failure } = await guest.end(await guest.start());
          if (story?.outcome !== 'migrated') failures.push(`migration ${done}: ${story?.outcome ?? 'no story'}, ${failure?.message ?? ''}`);
          if (done % every === 0 || done === migrations) await sample(done);
        }
        const series = quantities.map(({ name, unit, limit }, index) => ({ name, unit, limit, values: samples.map((values) => values[index] ?? 0) }));
        const audit = await collectAudit({ ...kedge, migrationDefaults: {}, blackouts: [], migrationAddress: (node) => node });
        const { kind, journal } = witnessPlace(lab, VMID);
        const verdict = await readWitness({ observerSocket: observerSocket(lab), vmid: VMID, kind, imagePath: journal });
        return { migrations, judged: series.map((one) => judge(one, at)), failures, leftovers: findLeftovers(audit).length, witness: verdict.reasons };
      } finally {
        await connection.close();
      }
    },
    { name: 'soak', nodeOptions: `--import ${new URL('collect-on-demand.js', import.meta.url).href}` },
  );
}
