/** How long each QMP command may take; a command that takes longer may still have run. */

/** Time for connect() to the monitor socket. */
export const CONNECT_TIMEOUT_MS = 5_000;
/** Time for QEMU's greeting: without one, another client is attached. */
export const GREETING_TIMEOUT_MS = 3_000;
/** In-band commands without a row of their own. */
const IN_BAND_TIMEOUT_MS = 10_000;
/** Out-of-band commands are answered by the monitor's own thread, even while the main loop hangs. */
const OUT_OF_BAND_TIMEOUT_MS = 3_000;

/** Rows of commands that are known to be faster or slower than the rest. */
const COMMAND_TIMEOUTS_MS: Readonly<Record<string, number>> = {
  qmp_capabilities: 5_000,
  // Opens and locks all images of an incoming guest, possibly on slow shared storage.
  cont: 30_000,
  // Drains all disk requests first.
  stop: 30_000,
  'object-add': 15_000,
  'query-qmp-schema': 15_000,
  quit: 15_000,
};

/** The time that `command` is given, in milliseconds. */
export function commandTimeoutMs(command: string, band: 'in-band' | 'out-of-band'): number {
  return band === 'out-of-band' ? OUT_OF_BAND_TIMEOUT_MS : (COMMAND_TIMEOUTS_MS[command] ?? IN_BAND_TIMEOUT_MS);
}
