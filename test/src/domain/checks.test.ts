import { describe, expect, test } from 'vitest';
import { CHECKS, finding, isBlocker, softened, withinScope, type CheckScope } from '../../../src/domain/checks.js';

const HEAD = `# Checks

Before a migration changes anything, all of these are looked at, on both nodes at once. \`kedge check <vmid> [target]\` and
\`kedge migrate … --dry-run\` show what they find, with a forecast; \`kedge migrate\` refuses (exit code 3) when one finding is a blocker;
warnings go into its story. Notes are facts of the moment that help to choose a target: only a check tells them.
The ids are stable; with \`--json\` each finding carries its id, severity, text and remedy ([check.schema.json](check.schema.json)).

This page is made from the registry in [src/domain/checks.ts](../src/domain/checks.ts);
\`npx vitest run --project unit test/src/domain/checks.test.ts -u\` writes it anew.

| id | severity | when the guest | looks at | means | what to do |
|---|---|---|---|---|---|
`;

const TAIL = `
## The link test

Each node probes its way to the other one over the migration network, for about half a second: 300 small datagrams, and 500 more once one of them
was lost; six as large as the interface lets out; a stream of 0.2 s. The receiver counts, so that each direction is judged alone. A migration that runs
over one of the two nodes is not disturbed by a stream, and no loss that it may have caused refuses another. Where datagrams (UDP) are not let through, only
the connection is tested, and a warning says so.

## The forecast

A span from "all goes well" to "the machines are busy", made from the measured rate of the link, \`--bwlimit\`, the memory that the guest has touched and what
its disks have allocated. How fast the guest rewrites them is not known beforehand. \`kedge migration show\` compares it with what happened.

## PVE's checks

All of PVE's checks that have a meaning in Kedge are in the table. Without one are: quorum (there is no cluster file system; the Temporal server is asked
instead), options for root only, replication jobs, HA resources, and the tracking of connections (conntrack), which Kedge does not carry.
`;

const SCOPES: Readonly<Record<CheckScope, string>> = { any: 'moves in any way', live: 'runs on', copied: 'is off meanwhile' };

function page(): string {
  const rows = Object.entries(CHECKS).map(([id, row]) => {
    const cells = [`\`${id}\``, row.severity, SCOPES[row.scope], row.looksAt, row.meaning, row.remedy];
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`;
  });
  return `${HEAD}${rows.join('')}${TAIL}`;
}

describe('the registry of checks', () => {
  test('is what docs/checks.md explains', async () => {
    await expect(page()).toMatchFileSnapshot('../../../docs/checks.md');
  });

  test('has a meaning and a remedy for each, as sentences without period that start with a capital or an option', () => {
    for (const { meaning, remedy } of Object.values(CHECKS)) for (const text of [meaning, remedy]) expect(text).toMatch(/^[A-Z-2].*[^.]$/);
  });

  test('gives a finding its severity, and its remedy unless there is a better one', () => {
    expect(finding('memory-short', 'Full')).toEqual({ id: 'memory-short', severity: 'blocker', text: 'Full', remedy: CHECKS['memory-short'].remedy });
    expect(finding('clock-skew', 'Late', 'Wait')).toMatchObject({ severity: 'warning', remedy: 'Wait' });
    expect(isBlocker(softened(finding('memory-short', 'Full')))).toBe(false);
  });

  test('leaves out what does not matter for the way that the guest moves', () => {
    const findings = [finding('certificate', ''), finding('space-short', ''), finding('memory-short', '')];
    expect(withinScope(findings, false).map(({ id }) => id)).toEqual(['certificate', 'memory-short']);
    expect(withinScope(findings, true).map(({ id }) => id)).toEqual(['space-short', 'memory-short']);
  });
});
