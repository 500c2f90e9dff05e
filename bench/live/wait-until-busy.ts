import { setTimeout as sleep } from 'node:timers/promises';
import { askGuestStatus } from '../../lab/witness/ask-guest.js';
import { KedgeError } from '../../src/domain/kedge-error.js';

const PAUSE_MS = 500;

/** Waits until the guest has filled its working set: before that its memory is cheap to send. @throws KedgeError `lab-failed` */
export async function waitUntilBusy(guest: { readonly observerSocket: string; readonly vmid: number; readonly timeoutMs: number }): Promise<void> {
  const { observerSocket, vmid, timeoutMs } = guest;
  const deadline = performance.now() + timeoutMs;
  while (performance.now() < deadline) {
    try {
      const { memory } = await askGuestStatus({ observerSocket, vmid, timeoutMs: 2_000 });
      if (memory.ready >= memory.pages) return;
    } catch {
      // It boots, or ticks for the first time only later.
    }
    await sleep(PAUSE_MS);
  }
  throw new KedgeError('lab-failed', `Cannot measure guest ${vmid}: it did not fill its working set in time`);
}
