import type { RepairResult } from '../../../src/domain/repair.js';

export const repaired: RepairResult = { outcome: 'done', because: 'done' };

/** It is there, and is not surely of no use to anybody: nothing was changed. */
export const refuse = (because: string): RepairResult => ({ outcome: 'refused', because });

/** It has gone meanwhile, or belongs to somebody by now. */
export const gone = (because: string): RepairResult => ({ outcome: 'gone', because });
