import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { parseNodeName } from '../../../../src/domain/ids.js';
import { KedgeError } from '../../../../src/domain/kedge-error.js';
import type { RsyncGrant } from '../../../../src/drivers/rsync/grant-format.js';
import { parseServerCommand, serverArguments } from '../../../../src/drivers/rsync/parse-server-command.js';

const token = '0123456789abcdef0123456789abcdef';
const peer = parseNodeName('node1');
const grants: Readonly<Record<'file' | 'tree', RsyncGrant>> = {
  file: { token, peer, kind: 'file', path: '/srv/images/101/.incoming-101-2-vm-101-disk-0.raw' },
  tree: { token, peer, kind: 'tree', path: '/srv/images/101/.incoming-101-2-subvol-101-disk-1.subvol' },
};
const IMAGE = `rsync --server -ISe.LsfxCIvu -B131072 --max-alloc=8G --timeout=60 --bwlimit=100 --compress-choice=lz4 --stats --fsync --inplace --no-W . ${token}`;
const TREE = `rsync --server -lHogDtpAXrxSe.LsfxCIvu --timeout=60 --delete --stats -@-1 --partial --numeric-ids . ${token}/`;

/** Parses and judges, as the relay does. */
function run(command: string, kind: 'file' | 'tree'): readonly string[] {
  return serverArguments(parseServerCommand(command), grants[kind]);
}

const refusal = (command: string, kind: 'file' | 'tree'): unknown => {
  try {
    return run(command, kind);
  } catch (error) {
    return error instanceof KedgeError ? error.code : error;
  }
};

describe('the command of a peer', () => {
  it('runs with the granted path in place of the token', () => {
    expect(run(IMAGE, 'file')).toEqual([...IMAGE.split(' ').slice(1, -1), grants.file.path]);
    expect(run(TREE, 'tree')).toEqual([...TREE.split(' ').slice(1, -1), `${grants.tree.path}/`]);
  });

  it('does nothing but what its kind of grant is for', () => {
    expect(refusal(IMAGE, 'tree')).toBe('bad-input');
    expect(refusal(TREE, 'file')).toBe('bad-input');
    expect(refusal(`${IMAGE}/`, 'file')).toBe('bad-input');
    for (const letter of ['r', 'l', 'D', 'p', 'o', 'k', 'K', 'b', 'L', 's', 'n', 'z']) {
      expect(refusal(IMAGE.replace('-IS', `-IS${letter}`), 'file'), letter).toBe('bad-input');
    }
    expect(refusal(IMAGE.replace(' --inplace', ''), 'file')).toBe('bad-input');
  });

  it.each([
    '',
    'rsync',
    'rsync --server',
    'rsync --version',
    'rsync --version; id',
    'rsync  --version',
    'rsync --daemon --config=/tmp/x .',
    'rsync --server --daemon .',
    `/usr/bin/rsync --server -ISe.L --inplace . ${token}`,
    `sh -c rsync --server -ISe.L --inplace . ${token}`,
    `rsync --server --sender -ISe.L --inplace . ${token}`,
    'rsync --server -ISe.L --inplace . /etc/shadow',
    `rsync --server -ISe.L --inplace . ../${token}`,
    `rsync --server -ISe.L --inplace . ${token}/..`,
    `rsync --server -ISe.L --inplace . ${token.toUpperCase()}`,
    `rsync --server -ISe.L --inplace . ${token} ${token}`,
    `rsync --server -ISe.L --inplace ${token}`,
    `rsync --server -ISe.L --inplace . ${token} `,
    `rsync --server -ISe.L --inplace . ${token}\n`,
    `rsync --server -ISe.L --inplace . $(id)`,
    `rsync --server -ISe/bin/sh --inplace . ${token}`,
    `rsync --server -ISe.L -ISe.L --inplace . ${token}`,
    `rsync --server --inplace . ${token}`,
    `rsync --server -se.L . ${token}`,
    ...[
      '--log-file=/etc/cron.d/x',
      '--files-from=/etc/passwd',
      '--backup-dir=/etc',
      '--temp-dir=/etc',
      '--link-dest=/etc',
      '--partial-dir=/etc',
      '--remove-source-files',
      '--write-devices',
      '--append',
      '--append-verify',
      '--rsync-path=/tmp/x',
      '--delete-excluded',
      '--mkpath',
      '--trust-sender',
      '--keep-dirlinks',
      '-M--x',
      '--timeout=',
      '--timeout=-1',
      '--bwlimit=1e9',
    ].flatMap((option) => [`rsync --server -ISe.L --inplace ${option} . ${token}`, `rsync --server -re.L ${option} . ${token}/`]),
    `rsync --server -ISe.L ${'--stats '.repeat(400)}--inplace . ${token}`,
  ])('is refused when it is %j', (command) => {
    expect(refusal(command, command.endsWith('/') ? 'tree' : 'file')).toBe('bad-input');
  });

  const SAFE =
    /^(?:--server|\.|-[A-Za-z]*e[0-9.]*\.[A-Za-z]*|-B[0-9]+|-@-1|--(?:timeout|bwlimit|compress-level)=[0-9]+|--compress-choice=(?:lz4|zstd)|--max-alloc=[0-9]+G|--info=[A-Z0-9,]+|--(?:stats|fsync|partial|inplace|no-W|delete|numeric-ids))$/;
  const safe = (args: readonly string[], kind: 'file' | 'tree'): boolean =>
    args.at(-1)?.replace(/\/$/, '') === grants[kind].path && args.slice(0, -1).every((word) => SAFE.test(word));

  const words = fc.oneof(
    fc.constantFrom(...IMAGE.split(' '), ...TREE.split(' '), '--sender', '--daemon', '--', '-s', '..', '/etc', '--log-file=/x', '-e/bin/sh'),
    fc.string({ maxLength: 12 }),
  );
  test.prop([fc.array(words, { maxLength: 14 }), fc.constantFrom<'file' | 'tree'>('file', 'tree')], { numRuns: 2_000 })(
    'either is refused or only ever writes to the granted path',
    (parts, kind) => {
      const result = refusal(`rsync --server ${parts.join(' ')} . ${token}${kind === 'tree' ? '/' : ''}`, kind);
      if (Array.isArray(result)) expect(safe(result.map(String), kind)).toBe(true);
      else expect(result).toBe('bad-input');
    },
  );

  test.prop([fc.nat(IMAGE.length), fc.nat(4), fc.string({ maxLength: 6 })], { numRuns: 2_000 })('is safe however one of ours is damaged', (at, cut, put) => {
    for (const [command, kind] of [
      [IMAGE, 'file'],
      [TREE, 'tree'],
    ] as const) {
      const result = refusal(command.slice(0, at) + put + command.slice(at + cut), kind);
      if (Array.isArray(result)) expect(safe(result.map(String), kind)).toBe(true);
      else expect(result).toBe('bad-input');
    }
  });
});
