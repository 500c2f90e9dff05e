/** Marks the branch that the types rule out; throws if a value came from outside the types. */
export function assertNever(value: never): never {
  throw new Error(`Unexpected value: ${JSON.stringify(value)}`);
}
