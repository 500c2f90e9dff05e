import { compareVersions } from './compare-versions.js';

/** How multifd packs pages. QEMU 7.2 knows zlib too, which is slower than the network in every case. */
export const STREAM_COMPRESSIONS = ['zstd', 'none'] as const;
export type StreamCompression = (typeof STREAM_COMPRESSIONS)[number];

/** The shape of a RAM stream; both ends must be told the same, or the stream fails. */
export interface StreamLayout {
  /** Connections of multifd beside the main one; 0: without multifd. */
  readonly multifdChannels: number;
  readonly compression: StreamCompression;
}

/** Before it, several channels can lock QEMU up (docs/decisions/0007). */
const SEVERAL_CHANNELS_SINCE = '9.0';

/**
 * Chooses the shape of one stream. A hold needs a stream that can be throttled page by page (docs/decisions/0002), so it has no
 * multifd and no compression. `sourceQemu` is the version of the sending QEMU, e.g. `7.2.22`.
 */
export function streamLayout(request: { readonly hold: boolean; readonly wanted: StreamLayout; readonly sourceQemu: string }): StreamLayout {
  const { hold, wanted, sourceQemu } = request;
  if (hold) return { multifdChannels: 0, compression: 'none' };
  const severalAreSafe = compareVersions(sourceQemu, SEVERAL_CHANNELS_SINCE) >= 0;
  return { multifdChannels: severalAreSafe ? wanted.multifdChannels : Math.min(1, wanted.multifdChannels), compression: wanted.compression };
}
