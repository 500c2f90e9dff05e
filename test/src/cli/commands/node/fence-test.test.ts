import { describe, expect, it } from 'vitest';
import type { FencingReport } from '../../../../../src/domain/fence-test.js';
import { parseNodeName } from '../../../../../src/domain/ids.js';
import { KedgeError } from '../../../../../src/domain/kedge-error.js';
import { runFake } from '../../fake-cluster.js';

const node = parseNodeName('node2');
const test = { node, agent: '/usr/sbin/fence_ipmilan', device: '192.0.2.12', power: 'on' as const, said: '', tookMs: 420, problems: [] };
const REPORT: FencingReport = { place: '/etc/kedge/fencing.yaml of control1', tests: [test], problems: [] };
const answering = (report: FencingReport) => ({ cluster: { testFencing: () => Promise.resolve(report) } });

describe('kedge node fence-test', () => {
  it('tells of each device what it said and how long it took', async () => {
    expect(await runFake(['node', 'fence-test'], answering(REPORT))).toMatchObject({
      out: 'Fencing by /etc/kedge/fencing.yaml of control1\nNODE   AGENT          DEVICE      POWER   TOOK\nnode2  fence_ipmilan  192.0.2.12  on     0.4 s\n',
      exitCode: 0,
    });
    expect(JSON.parse((await runFake(['node', 'fence-test', 'node2', '--json'], answering(REPORT))).out)).toEqual(REPORT);
  });

  it('exits with 1 for an error, which it tells with field and remedy, and with 0 for a warning', async () => {
    const problem = { field: 'nodes.node2.parameters.pasword', message: 'is not\u001b known', remedy: 'Correct its name' };
    const failed = await runFake(['node', 'fence-test'], answering({ ...REPORT, tests: [{ ...test, problems: [{ severity: 'error', ...problem }] }] }));
    expect(failed).toMatchObject({
      exitCode: 1,
      out: expect.stringContaining('error: nodes.node2.parameters.pasword: is not? known\n  Remedy: Correct its name\n'),
    });
    expect(await runFake(['node', 'fence-test'], answering({ ...REPORT, problems: [{ severity: 'warning', ...problem }] }))).toMatchObject({ exitCode: 0 });
  });

  it('hands on what is wrong with the file', async () => {
    const cluster = {
      testFencing: () => Promise.reject(new KedgeError('bad-config', 'Cannot use it: it has the mode 640', { details: { remedy: 'Run: chmod 600' } })),
    };
    expect(await runFake(['node', 'fence-test'], { cluster })).toMatchObject({ exitCode: 2, err: expect.stringMatching(/has the mode 640[^]*chmod 600/) });
  });
});
