import { KedgeError } from '../../../src/domain/kedge-error.js';
import { openProbeListener, type ProbeListener, type ProbeTally } from '../../../src/drivers/link/probe-listener.js';

/** A caller that died leaves its probe open for so long; milliseconds. */
const PROBE_LIFE_MS = 10_000;

interface ProbePlace {
  readonly host: string;
  readonly udpPort: number;
  readonly tcpPort: number;
  readonly busy: boolean;
}

interface OpenProbe {
  readonly token: string;
  readonly place: ProbePlace;
  readonly listener: ProbeListener;
  readonly end: () => void;
}

/**
 * The probes of one node: one comes in at a time, and one goes out at a time, so that they don't disturb each other. Which node waits for
 * which can't become a circle: a probe that goes out holds nothing that one that comes in needs.
 */
export class LinkProbes {
  #incoming: Promise<void> = Promise.resolve();
  #outgoing: Promise<unknown> = Promise.resolve();
  #open: OpenProbe | null = null;
  /** What the last probe that was closed had counted, for a caller who lost the answer. */
  #closed: { readonly token: string; readonly tally: ProbeTally } | null = null;

  /**
   * Listens for one probe, once the one before has ended; asked twice for the same, it answers the same.
   * @throws KedgeError `peer-refused` nothing can listen there
   */
  async open({ host, token, busy }: { host: string; token: string; busy: boolean }): Promise<ProbePlace> {
    if (this.#open?.token === token) return this.#open.place;
    const before = this.#incoming;
    let end = (): void => undefined;
    this.#incoming = new Promise((resolve) => {
      end = resolve;
    });
    await before;
    try {
      const listener = await openProbeListener({ host, token: Buffer.from(token, 'hex') });
      const timer = setTimeout(() => this.#close(token), PROBE_LIFE_MS);
      timer.unref();
      const place: ProbePlace = { host, udpPort: listener.udpPort, tcpPort: listener.tcpPort, busy };
      this.#open = {
        token,
        place,
        listener,
        end: () => {
          clearTimeout(timer);
          listener.close();
          end();
        },
      };
      return place;
    } catch (error) {
      end();
      throw error;
    }
  }

  /** What has arrived of a probe. @throws KedgeError `not-found` for one that is over */
  async tally({ token, small, large, close }: { token: string; small: number; large: number; close: boolean }): Promise<ProbeTally> {
    if (this.#closed?.token === token) return this.#closed.tally;
    if (this.#open?.token !== token) throw new KedgeError('not-found', 'Cannot count a probe: it is over');
    try {
      const tally = await this.#open.listener.tally({ small, large });
      if (close) this.#closed = { token, tally };
      return tally;
    } finally {
      if (close) this.#close(token);
    }
  }

  /** Runs `probe` once the ones before have ended. */
  async outgoing<Result>(probe: () => Promise<Result>): Promise<Result> {
    const mine = this.#outgoing.then(probe, probe);
    this.#outgoing = mine.catch(() => undefined);
    return mine;
  }

  #close(token: string): void {
    const open = this.#open;
    if (open?.token !== token) return;
    this.#open = null;
    open.end();
  }
}
