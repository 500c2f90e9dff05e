import { z } from 'zod';
import type { QmpConnection } from '../qmp/qmp-connection.js';

/** The versioned machine type that this QEMU really runs, e.g. `pc-q35-7.2`; the target must be given exactly this one. */
export async function readMachineType(qmp: QmpConnection): Promise<string> {
  const type = z.string().parse(await qmp.execute('qom-get', { path: '/machine', property: 'type' }));
  return type.replace(/-machine$/, '');
}
