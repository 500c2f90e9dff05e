import { basename } from 'node:path';
import type { FenceProblem, FencingReport } from '../../domain/fence-test.js';
import { renderTable } from './table.js';

/** What the fencing devices said, and what is wrong, for people. */
export function fencingText({ place, tests, problems }: FencingReport): string {
  const table = renderTable(
    [
      { heading: 'NODE', cell: ({ node }) => node },
      { heading: 'AGENT', cell: ({ agent }) => basename(agent) },
      { heading: 'DEVICE', cell: ({ device }) => device },
      { heading: 'POWER', cell: ({ power }) => power },
      { heading: 'TOOK', cell: ({ tookMs }) => `${(tookMs / 1_000).toFixed(1)} s`, align: 'right' },
    ],
    tests,
  );
  return [`Fencing by ${place}\n`, table, ...[...problems, ...tests.flatMap((test) => test.problems)].map(problemText)].join('');
}

function problemText({ severity, field, message, remedy }: FenceProblem): string {
  return `${severity}: ${field}: ${message}\n  Remedy: ${remedy}\n`.replace(/[^\P{Cc}\n]/gu, '?');
}
