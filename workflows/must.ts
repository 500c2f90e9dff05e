/** What an earlier step has left. @throws Error when the steps are in the wrong order */
export function must<Value>(value: Value | null): Value {
  if (value === null) throw new Error('A step ran before the one that it builds on');
  return value;
}
