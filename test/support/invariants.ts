/** What must hold after every migration, however it ended. */
import { expect } from 'vitest';
import type { FakeWorld } from './fake-world.js';

/** One node runs the guest, and at no moment did two. */
export function assertExactlyOneRunner(world: FakeWorld): void {
  expect(world.violations).toEqual([]);
  expect(world.runners()).toHaveLength(1);
}

/** The node without the guest has nothing of it but a tombstone; the other owns it without a claim. */
export function assertNothingLeftBehind(world: FakeWorld): void {
  const [runner] = world.runners();
  const [owner, other] = runner === world.source.name ? [world.source, world.target] : [world.target, world.source];
  expect(owner.record).toMatchObject({ state: 'owned', migrationId: null });
  expect(['released', 'revoked', undefined]).toContain(other.record?.state);
  expect(other.qemu).toBe('gone');
  expect(other.files).toBe(false);
  expect(world.streams).toBe(false);
}
