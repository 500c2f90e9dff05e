/** What must hold after every migration, however it ended. */
import { expect } from 'vitest';
import type { FakeSide, FakeWorld } from './fake-world.js';

/** One node runs the guest, or none does and one owns it when it shall be off; and at no moment was it otherwise. */
export function assertExactlyOneRunner(world: FakeWorld): void {
  expect(world.violations).toEqual([]);
  expect(world.runners()).toHaveLength(world.wanted === 'stopped' ? 0 : 1);
  expect(ownersOf(world)).toHaveLength(1);
}

/** The node without the guest has nothing of it but a tombstone, and disks only where they were to be kept; the other owns it without a claim. */
export function assertNothingLeftBehind(world: FakeWorld, { keptSource = false }: { keptSource?: boolean } = {}): void {
  const isAtSource = ownersOf(world)[0] === world.source;
  const [owner, other] = isAtSource ? [world.source, world.target] : [world.target, world.source];
  if (world.movement !== 'live') expect([owner.disks, other.disks]).toEqual([isAtSource ? 'own' : 'published', keptSource ? 'own' : 'none']);
  expect(world.keptNoted).toBe(keptSource);
  expect(owner.record).toMatchObject({ state: 'owned', migrationId: null });
  expect(['released', 'revoked', undefined]).toContain(other.record?.state);
  expect(other.qemu).toBe('gone');
  expect(other.files).toBe(false);
  expect(world.streams).toBe(false);
}

function ownersOf({ source, target }: FakeWorld): readonly FakeSide[] {
  return [source, target].filter(({ record }) => record?.state === 'owned');
}
