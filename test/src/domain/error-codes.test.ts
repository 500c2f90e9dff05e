import { expect, test } from 'vitest';
import { ERROR_CODES, isErrorCode } from '../../../src/domain/error-codes.js';

const HEAD = `# Errors

Every error that Kedge shows has one of these codes: on the terminal in brackets after its message, with \`--json\` as
\`{"error":{"code":…,"message":…,"causes":[…],"findings":[…],"remedy":…,"exitCode":…}}\` on standard output, and in
Temporal as the type of the workflow's failure. A message says what Kedge was doing and the value in its way; "because" lines say what
went wrong below; the line with the arrow says what to do. "Retried" errors are repeated by Kedge itself before you see them.

This page is made from the table in [src/domain/error-codes.ts](../src/domain/error-codes.ts);
\`npx vitest run --project unit test/src/domain/error-codes.test.ts -u\` writes it anew.

## Exit codes

| exit | meaning |
|---|---|
| 0 | done |
| 1 | failed; \`kedge audit\`: something is left behind |
| 2 | usage: an argument, option or file is wrong |
| 3 | refused by a precondition; nothing was changed |
| 4 | not done in time |
| 130 | Ctrl-C: the command let go, the migration runs on |

The look-alikes \`qm\` and \`pct\` exit with 255 after any error, as PVE's does.

## Codes

| code | exit | retried | what to do |
|---|---|---|---|
`;

function page(): string {
  const rows = Object.entries(ERROR_CODES).map(
    ([code, row]) => `| \`${code}\` | ${String(row.exitCode)} | ${row.retryable ? 'yes' : 'no'} | ${row.remedy.replaceAll('|', '\\|')} |\n`,
  );
  const checks = `\n## Findings of a refused migration\n\n\`migration-refused\` carries all findings at once. Each has an id, a severity (a blocker refuses, a warning goes into the story, a note is told by \`kedge check\` only), a text and
its own remedy. The ids are stable: [checks.md](checks.md) explains them all.\n`;
  return `${HEAD}${rows.join('')}${checks}`;
}

test('docs/errors.md says what the table says', async () => {
  await expect(page()).toMatchFileSnapshot('../../../docs/errors.md');
});

test('every remedy is a sentence without period that starts with a capital', () => {
  for (const { remedy } of Object.values(ERROR_CODES)) expect(remedy).toMatch(/^[A-Z].*[^.]$/);
});

test('codes from the wire are known only when the table has them', () => {
  expect(isErrorCode('cancelled')).toBe(true);
  for (const value of ['toString', '__proto__', '', 7, null]) expect(isErrorCode(value)).toBe(false);
});
