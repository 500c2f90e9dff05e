import { execFileSync } from 'node:child_process';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createTap, readBridges, listTaps, removeTap } from '../../../../src/drivers/host/tap.js';

// Devices of the host: the names are of no real guest or bridge.
const VMID = 990_003;
const NAME = `tap${VMID}i0`;
const BRIDGE = 'kedgetest0';

beforeEach(() => {
  execFileSync('ip', ['link', 'add', BRIDGE, 'type', 'bridge']);
});
afterEach(async () => {
  await removeTap(NAME);
  execFileSync('ip', ['link', 'delete', BRIDGE]);
});

it('a tap device is made on its bridge, once', async () => {
  await createTap({ name: NAME, bridge: BRIDGE });
  await createTap({ name: NAME, bridge: BRIDGE });
  expect(await listTaps(VMID)).toEqual([{ name: NAME, bridge: BRIDGE }]);
  expect((await readBridges()).find(({ name }) => name === BRIDGE)).toMatchObject({ vlanAware: false, mtu: 1_500 });
});

it('a tap device moves to the bridge that is asked for', async () => {
  await createTap({ name: NAME, bridge: null });
  expect(await listTaps(VMID)).toEqual([{ name: NAME, bridge: null }]);
  await createTap({ name: NAME, bridge: BRIDGE });
  expect(await listTaps()).toContainEqual({ name: NAME, bridge: BRIDGE });
});

it('a tap device is removed, and again without complaint', async () => {
  await createTap({ name: NAME, bridge: null });
  await removeTap(NAME);
  await removeTap(NAME);
  expect(await listTaps(VMID)).toEqual([]);
});

it('a bridge that does not exist is named, and no device is left', async () => {
  await expect(createTap({ name: NAME, bridge: 'nobridge' })).rejects.toMatchObject({ code: 'not-found', details: { bridge: 'nobridge' } });
  expect(await listTaps(VMID)).toEqual([]);
});
