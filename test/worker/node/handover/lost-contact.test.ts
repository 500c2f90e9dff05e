import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { migrationIdOf, parseGeneration, parseVmid } from '../../../../src/domain/ids.js';
import { LostContact } from '../../../../worker/node/handover/lost-contact.js';

const vmid = parseVmid(101);
const copy = { vmid, migrationId: migrationIdOf(vmid, parseGeneration(7)) };
const LONGEST_MS = 20;

describe('the silence of a monitor', () => {
  test('is forgiven at first, and too long when it lasts over attempts', async () => {
    const contact = new LostContact(LONGEST_MS);
    expect(contact.isTooLong(copy)).toBe(false);
    await delay(LONGEST_MS + 5);
    expect(contact.isTooLong(copy)).toBe(true);
  });

  test('is counted anew after an answer, and for another migration of the guest', async () => {
    const contact = new LostContact(LONGEST_MS);
    contact.isTooLong(copy);
    await delay(LONGEST_MS + 5);
    expect(contact.isTooLong({ ...copy, migrationId: migrationIdOf(vmid, parseGeneration(9)) })).toBe(false);
    await delay(LONGEST_MS + 5);
    contact.isBack(vmid);
    expect(contact.isTooLong(copy)).toBe(false);
  });
});
