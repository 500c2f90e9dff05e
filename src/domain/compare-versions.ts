/** Orders dotted versions by their numbers: below 0 when `left` is older, 0 when equal. Missing parts count as 0; suffixes are ignored. */
export function compareVersions(left: string, right: string): number {
  const [lefts, rights] = [numbersOf(left), numbersOf(right)];
  for (let at = 0; at < Math.max(lefts.length, rights.length); at += 1) {
    const difference = (lefts[at] ?? 0) - (rights[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function numbersOf(version: string): readonly number[] {
  return (/^\d+(?:\.\d+)*/.exec(version)?.[0] ?? '0').split('.').map(Number);
}
