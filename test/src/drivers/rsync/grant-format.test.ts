import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { parseNodeName } from '../../../../src/domain/ids.js';
import { KedgeError } from '../../../../src/domain/kedge-error.js';
import { parseGrant, printGrant } from '../../../../src/drivers/rsync/grant-format.js';

const grant = { token: 'a'.repeat(32), peer: parseNodeName('node1'), kind: 'file', path: '/srv/images/101/disk' } as const;

describe('a grant', () => {
  it('is read as it was printed', () => {
    expect(parseGrant(printGrant(grant))).toEqual(grant);
  });

  it.each([
    ['token', 'A'.repeat(32)],
    ['token', '../../../etc'],
    ['peer', 7],
    ['kind', 'block'],
    ['path', 'srv/images'],
    ['path', '/'],
    ['path', '/srv/../etc'],
    ['path', '/srv//x'],
    ['path', '/srv/x/'],
    ['path', '/srv/\0'],
  ])('with %s %j is refused by name', (field, value) => {
    expect(() => parseGrant(JSON.stringify({ ...grant, [field]: value }))).toThrow(expect.objectContaining({ code: 'bad-input', details: { field } }));
  });

  it('for a node that can not be is refused', () => {
    expect(() => parseGrant(JSON.stringify({ ...grant, peer: '../x' }))).toThrow(expect.objectContaining({ code: 'bad-input' }));
  });

  test.prop([fc.oneof(fc.string(), fc.json())])('that is something else is refused, never read halfway', (text) => {
    expect(() => parseGrant(text)).toThrow(KedgeError);
  });
});
