import type { QmpEvent } from '../../../src/drivers/qmp/qmp-connection.js';

/** Matches QEMU's MIGRATION event of any of these statuses. */
export function isMigrationEvent(...statuses: readonly string[]): (event: QmpEvent) => boolean {
  return (event) => event.name === 'MIGRATION' && statuses.some((status) => status === event.data['status']);
}
