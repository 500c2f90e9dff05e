import { describe, expect, it } from 'vitest';
import { ERROR_CODES } from '../../../../src/domain/error-codes.js';
import { rsyncExit } from '../../../../src/drivers/rsync/exit-codes.js';
import { rsyncFailure } from '../../../../src/drivers/rsync/rsync-failure.js';

const failure = (exitCode: number | null, stderr = '', vanishedFiles: 'normal' | 'error' = 'error'): unknown =>
  rsyncFailure({ exitCode, signal: exitCode === null ? 'SIGKILL' : null, stderr, vanishedFiles });

describe('the end of an rsync', () => {
  it('is no failure with 0', () => {
    expect(failure(0, 'some warning')).toBeNull();
  });

  it('with 24 is normal while files may vanish, and a failure after that', () => {
    expect(failure(24, '', 'normal')).toBeNull();
    expect(failure(24, '', 'error')).toMatchObject({ code: 'copy-refused', retryable: false });
  });

  it.each([5, 10, 12, 16, 19, 20, 30, 35, 101, 255, null])('with %s is worth another try', (exitCode) => {
    expect(failure(exitCode)).toMatchObject({ retryable: true, details: { retry: 'backoff' } });
  });

  it.each([3, 13, 14, 15, 21, 22, 77])('with %s may be gone in one more try, and is permanent then', (exitCode) => {
    expect(failure(exitCode)).toMatchObject({ code: 'copy-refused', retryable: false, details: { retry: 'once' } });
  });

  it.each([1, 2, 4, 6, 23, 25, 126, 127])('with %s comes back each time', (exitCode) => {
    expect(failure(exitCode)).toMatchObject({ code: 'copy-refused', retryable: false, details: { retry: 'never' } });
  });

  it.each([11, 12, 23])('with %s is a full storage when it says so, else not', (exitCode) => {
    const said = 'rsync: [receiver] write failed on "/x": No space left on device (28)\nrsync error: error in file IO (code 11)';
    expect(failure(exitCode, said)).toMatchObject({ code: 'no-space', details: { retry: 'never' } });
    expect(failure(exitCode)).not.toMatchObject({ code: 'no-space' });
    expect(failure(11)).toMatchObject({ code: 'storage-failed', retryable: true });
  });

  it('with 12 before a byte came is what ssh said, whose own code rsync was too quick to see', () => {
    const closed = 'rsync: connection unexpectedly closed (0 bytes received so far) [sender]\nrsync error: error in rsync protocol data stream (code 12)';
    expect(failure(12, `ssh: connect to host 10.0.0.1 port 22: Connection refused\n${closed}`)).toMatchObject({ code: 'peer-unreachable' });
    expect(failure(12, `Host key verification failed.\n${closed}`)).toMatchObject({ code: 'peer-untrusted' });
    expect(failure(12, closed.replace('(0 bytes', '(97 bytes'))).toMatchObject({ code: 'copy-failed' });
  });

  it('with 255 is what ssh said', () => {
    expect(failure(255, 'Host key verification failed.')).toMatchObject({ code: 'peer-untrusted' });
    expect(failure(255, 'root@10.0.0.1: Permission denied (publickey).')).toMatchObject({ code: 'peer-refused' });
    expect(failure(255, 'ssh: connect to host 10.0.0.1 port 22: Connection refused')).toMatchObject({ code: 'peer-unreachable' });
  });

  it('says the first thing that went wrong, not the last', () => {
    const said = '\nkedge refused: the grant was taken back\nrsync: connection unexpectedly closed (0 bytes received so far) [sender]\nrsync error: (code 12)';
    expect(failure(100, said)).toMatchObject({ message: 'Cannot copy: the other node does not grant this copy: kedge refused: the grant was taken back' });
  });

  it('is what the relay said, whose exit code rsync loses', () => {
    expect(failure(12, 'kedge refused: x')).toMatchObject({ code: 'peer-refused' });
    expect(failure(12, 'kedge busy: x')).toMatchObject({ code: 'copy-failed', details: { retry: 'backoff' } });
    expect(failure(12, 'kedge absent: x')).toMatchObject({ code: 'copy-refused' });
  });

  it('is repeated with a pause exactly when its error may be retried', () => {
    for (let exitCode = 1; exitCode < 256; exitCode += 1) {
      const { retry, code } = rsyncExit(exitCode);
      expect({ exitCode, retried: retry === 'backoff' }).toEqual({ exitCode, retried: ERROR_CODES[code].retryable });
    }
  });
});
