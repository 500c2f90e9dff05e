import { readFileSync } from 'node:fs';

/** What processes took between two looks. */
export interface Load {
  /** Processors that were busy for them, on average. */
  readonly cores: number;
  /** The most at one look, a second apart. */
  readonly rssMib: number;
}

const LOOK_EVERY_MS = 1_000;
/** USER_HZ of Linux on all machines that Node.js runs on. */
const TICKS_PER_SECOND = 100;

/** Watches some processes of this machine from now on; `next` tells what they took since the last time. */
export class ProcessLoad {
  readonly #pids: readonly number[];
  readonly #timer: NodeJS.Timeout;
  #since = performance.now();
  #ticks: number;
  #rssMib = 0;

  constructor(pids: readonly number[]) {
    this.#pids = pids;
    this.#ticks = this.#ticksNow();
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS);
    this.#timer.unref();
  }

  next(): Load {
    this.#look();
    const now = performance.now();
    const ticks = this.#ticksNow();
    const load = { cores: (ticks - this.#ticks) / TICKS_PER_SECOND / ((now - this.#since) / 1_000), rssMib: this.#rssMib };
    this.#since = now;
    this.#ticks = ticks;
    this.#rssMib = 0;
    return load;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const rssMib = this.#pids.reduce((sum, pid) => sum + Number(/^VmRSS:\s+(\d+)/m.exec(read(pid, 'status'))?.[1] ?? 0) / 1_024, 0);
    this.#rssMib = Math.max(this.#rssMib, rssMib);
  }

  #ticksNow(): number {
    return this.#pids.reduce((sum, pid) => {
      // The name in parentheses may have spaces; what follows are the fields from the third on.
      const fields = read(pid, 'stat').split(') ').at(-1)?.split(' ') ?? [];
      return sum + Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
    }, 0);
  }
}

/** Empty for a process that has ended. */
function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}
