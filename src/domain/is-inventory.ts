import { isRecord } from './is-record.js';
import type { NodeInventory } from './node-facts.js';

/** Is this what a heartbeat of the activity `presence` carries? A later Kedge may say more. */
export function isInventory(value: unknown): value is NodeInventory {
  return isRecord(value) && value['v'] === 1 && typeof value['node'] === 'string' && Array.isArray(value['guests']);
}
