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

/** Reads an order from its file; null when the content is no order (cut off by a crash of an older version, or altered). */
export function parseOrder(text: string): StepOrder | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  if (!('generation' in value) || !('sequence' in value) || !('attempt' in value)) return null;
  const { generation, sequence, attempt } = value;
  if (typeof generation !== 'number' || typeof sequence !== 'number' || typeof attempt !== 'number') return null;
  return { generation, sequence, attempt };
}
