import { describe, expect, it } from 'vitest';
import { streamLayout } from '../../../src/domain/stream-layout.js';

const wanted = { multifdChannels: 4, compression: 'zstd' } as const;

describe('the layout of a RAM stream', () => {
  it('is as configured from QEMU 9.0 on', () => {
    expect(streamLayout({ hold: false, wanted, sourceQemu: '9.0.0' })).toEqual(wanted);
    expect(streamLayout({ hold: false, wanted, sourceQemu: '10.1' })).toEqual(wanted);
  });

  it('has one channel below QEMU 9.0, where several can lock the sender up', () => {
    expect(streamLayout({ hold: false, wanted, sourceQemu: '7.2.22' })).toEqual({ multifdChannels: 1, compression: 'zstd' });
    expect(streamLayout({ hold: false, wanted, sourceQemu: '8.2.9' })).toMatchObject({ multifdChannels: 1 });
  });

  it('has one channel when the version can not be read', () => {
    expect(streamLayout({ hold: false, wanted, sourceQemu: '' })).toMatchObject({ multifdChannels: 1 });
  });

  it('is one plain connection for a hold, whatever the version', () => {
    expect(streamLayout({ hold: true, wanted, sourceQemu: '10.1' })).toEqual({ multifdChannels: 0, compression: 'none' });
  });
});
