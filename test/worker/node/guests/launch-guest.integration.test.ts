import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lookAtGuest } from '../../../../worker/node/guests/look-at-guest.js';
import { manageGuest } from '../../../../worker/node/guests/manage-guest.js';
import { startTwoNodes, VMID, type TwoNodes } from '../../../support/two-nodes.js';

describe('the start of a guest', () => {
  let nodes: TwoNodes;
  beforeAll(async () => {
    nodes = await startTwoNodes();
    await manageGuest(nodes.source, { verb: 'stop', vmid: VMID });
  });
  afterAll(() => nodes.close());

  it('is not disturbed by looks at the guest, which wait for it', async () => {
    const started = new AbortController();
    const looking = (async () => {
      const states = new Set<string>();
      while (!started.signal.aborted) states.add((await lookAtGuest(nodes.source, VMID)).view.qemu);
      return states;
    })();
    await manageGuest(nodes.source, { verb: 'start', vmid: VMID });
    started.abort();
    expect([...(await looking)]).not.toContain('unreachable');
    expect((await lookAtGuest(nodes.source, VMID)).view.qemu).toBe('running');
  });
});
