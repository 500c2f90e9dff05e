import { openSealed } from '../../../src/drivers/host/sealed-json.js';

/** Total order of all attempts of all steps of one guest. */
export interface StepOrder {
  readonly generation: number;
  readonly sequence: number;
  readonly attempt: number;
}

/** Negative when `left` is older than `right`. */
export function compareOrder(left: StepOrder, right: StepOrder): number {
  return left.generation - right.generation || left.sequence - right.sequence || left.attempt - right.attempt;
}

/**
 * Reads an order from its file; null when the content is no order (cut off, damaged, altered by hand).
 *
 * That forgets which attempts this node has seen, which is safe: a file is read only by a worker that has not claimed this guest yet, the
 * attempts of the worker before it died with it, and what an earlier migration may still send is refused by the record's generation.
 */
export function parseOrder(text: string): StepOrder | null {
  try {
    const { generation, sequence, attempt } = openSealed(text);
    if (typeof generation !== 'number' || typeof sequence !== 'number' || typeof attempt !== 'number') return null;
    return { generation, sequence, attempt };
  } catch {
    return null;
  }
}
