/** The real observer against guests that this test plays: every conclusion that it draws from ticks, and its clients. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { askGuest, askGuestVerify } from '../../../lab/witness/ask-guest.js';
import { askObserver } from '../../../lab/witness/ask-observer.js';
import type { ObserverReport } from '../../../lab/witness/observer-report.js';
import { readObserverReport, resetWitness } from '../../../lab/witness/read-witness.js';
import { startObserver, type ObserverProcess } from './observer-process.js';
import { tickPacket, type Tick } from './tick-packet.js';

const ADDRESS = '127.77.0.1';
const PORT = 17_001;
const VMID = 101;

let observer: ObserverProcess;
let sender: Socket;

beforeAll(async () => {
  observer = await startObserver({ listen: `${ADDRESS}:${PORT}` });
  sender = createSocket('udp4');
});
afterAll(async () => {
  sender.close();
  await observer.close();
});
afterEach(async () => {
  for (const vmid of [VMID, 102]) await askObserver(observer.socket, { op: 'forget', vmid });
});

async function send(...ticks: (Tick | Buffer)[]): Promise<void> {
  for (const tick of ticks) {
    await new Promise<void>((resolve, reject) => {
      sender.send(Buffer.isBuffer(tick) ? tick : tickPacket(tick), PORT, ADDRESS, (error) => (error === null ? resolve() : reject(error)));
    });
  }
}

/** The datagrams arrive in order, and the observer reads all of them before it answers: loopback delivers at once. */
const report = (vmid = VMID): Promise<ObserverReport> => readObserverReport({ observerSocket: observer.socket, vmid });
const ticks = (from: number, to: number, more: Partial<Tick> = {}): Tick[] =>
  Array.from({ length: to - from + 1 }, (_, index) => ({ ...more, tick: from + index }));

describe('ticks of one runner', () => {
  it('are counted', async () => {
    await send(...ticks(1, 50, { journalAcked: 7 }));
    expect(await report()).toMatchObject({
      nonce: '000000000000feed',
      ticks: { first: 1, last: 50, received: 50, missing: 0, duplicates: 0, reordered: 0, regressions: 0, counterRegressions: 0, doubleRunner: false },
      boots: [{ nonce: '000000000000feed', firstTick: 1, lastTick: 50, journalFirst: 1, journalAcked: 7 }],
      reboots: 0,
    });
  });

  it('may get lost, which is counted', async () => {
    await send(...ticks(1, 10), ...ticks(14, 20));
    expect((await report()).ticks).toMatchObject({ missing: 3, regressions: 0 });
  });

  it('may come twice or late without harm', async () => {
    await send(...ticks(1, 10), { tick: 9 }, { tick: 12 }, { tick: 13 }, { tick: 11 });
    expect((await report()).ticks).toMatchObject({ received: 13, missing: 0, duplicates: 1, reordered: 1, regressions: 0, last: 13 });
  });

  it('may be overtaken at the beginning of a boot, when the network still learns the way', async () => {
    const boot = { nonce: 0xb07n };
    await send(...ticks(1, 10), ...ticks(188, 188, boot), ...ticks(1, 187, boot), ...ticks(189, 200, boot));
    expect((await report()).ticks).toMatchObject({ received: 210, missing: 0, reordered: 187, regressions: 0, doubleRunner: false, last: 200 });
  });

  it('show how long the guest was not heard, and whether its own clock went on', async () => {
    await send(...ticks(1, 20));
    await sleep(500);
    // Sent at once, the clock of these ticks runs ahead of the arrivals: the stop shows shorter by up to 40 ticks.
    await send(...ticks(21, 60));
    const { ticks: found } = await report();
    expect(found.longestGapMs).toBeGreaterThanOrEqual(499);
    expect(found.longestStopMs).toBeGreaterThan(300);
    expect(found.longestStopMs).toBeLessThanOrEqual(found.longestGapMs);
    expect(found.longestStop).toMatchObject({ guestClockMs: 5, tick: 21 });
    expect(found.gaps).toHaveLength(1);
  });

  it('that were held back are no stop: the clock of the next ones shows that the guest ran', async () => {
    const started = performance.now();
    const now = (tick: number): Tick => ({ tick, clockNs: 1_000_000_000 + Math.round((performance.now() - started) * 1e6) });
    for (let tick = 1; tick <= 40; tick += 1) {
      const ready = now(tick);
      await sleep(tick === 20 ? 200 : 1);
      await send(ready);
    }
    const { ticks: found } = await report();
    expect(found.longestGap).toMatchObject({ tick: 20 });
    expect(found.longestGapMs).toBeGreaterThan(199);
    expect(found.longestStopMs).toBeLessThan(100);
  });

  it('are told from garbage', async () => {
    const damaged = tickPacket({ tick: 3 });
    damaged[40] = 77;
    const before = (await send({ tick: 1 }), await report()).observer.rejected;
    await send(damaged, tickPacket({ tick: 2 }).subarray(0, 99), Buffer.from('hello'), Buffer.alloc(0), { tick: 2 });
    const after = await report();
    expect(after.observer.rejected - before).toBe(4);
    expect(after.ticks).toMatchObject({ last: 2, received: 2 });
  });
});

describe('what must not happen', () => {
  it('memory that was rolled back lives through ticks again', async () => {
    await send(...ticks(1, 30), ...ticks(20, 40, { clockNs: 101_000_000 }));
    const { ticks: found } = await report();
    expect(found).toMatchObject({ regressions: 1, doubleRunner: false, last: 40, firstRegression: { tick: 20, after: 30 } });
  });

  it('memory that was rolled back long ago is not taken for late datagrams', async () => {
    await send(...ticks(1, 3000), ...ticks(100, 110));
    expect((await report()).ticks).toMatchObject({ regressions: 1, last: 110 });
  });

  it('memory that was rolled back to before the first tick that was heard is not taken for the beginning of a boot', async () => {
    await send(...ticks(500, 520));
    await sleep(1_100);
    await send(...ticks(100, 110));
    expect((await report()).ticks).toMatchObject({ regressions: 1, last: 110 });
  });

  it('two runners of one memory alternate', async () => {
    const other = (tick: number): Tick => ({ tick, clockNs: tick * 5_000_000 + 777 });
    await send(...ticks(1, 10), ...Array.from({ length: 10 }, (_, index) => [{ tick: 11 + index }, other(11 + index)]).flat());
    expect((await report()).ticks).toMatchObject({ doubleRunner: true, regressions: 10 });
  });

  it('two runners are seen also when one is far behind', async () => {
    const behind = ticks(500, 505).map(({ tick }) => ({ tick, clockNs: tick * 5_000_000 + 777 }));
    await send(...ticks(1, 5000), ...ticks(5001, 5006).flatMap((tick, index) => [tick, ...behind.slice(index, index + 1)]));
    expect((await report()).ticks).toMatchObject({ doubleRunner: true, missing: 0 });
  });

  it('a guest that boots while its older self still runs is two runners', async () => {
    await send(...ticks(1, 10));
    await send(...ticks(1, 6, { nonce: 0xb07n }).flatMap((tick, index) => [tick, { tick: 11 + index }]));
    expect(await report()).toMatchObject({ ticks: { doubleRunner: true }, reboots: 1 });
  });

  it('counters that fall while ticks rise show memory that is partly old', async () => {
    await send({ tick: 1, pagesWritten: 500 }, { tick: 2, pagesWritten: 400 });
    expect((await report()).ticks).toMatchObject({ counterRegressions: 1, regressions: 0 });
  });
});

describe('a guest that boots again', () => {
  it('keeps what was acknowledged before', async () => {
    await send(...ticks(1, 10, { journalAcked: 5 }), ...ticks(1, 4, { nonce: 0xb07n, journalFirst: 7, journalAcked: 9 }));
    expect(await report()).toMatchObject({
      reboots: 1,
      ticks: { regressions: 0, doubleRunner: false, last: 4 },
      boots: [
        { nonce: '000000000000feed', journalAcked: 5 },
        { nonce: '0000000000000b07', journalFirst: 7, journalAcked: 9 },
      ],
    });
  });

  it('may do so for ever without filling the observer', async () => {
    for (let boot = 1; boot <= 40; boot += 1) await send(...ticks(1, 2, { nonce: BigInt(boot) }));
    const found = await report();
    expect(found.reboots).toBe(39);
    expect(found.boots).toHaveLength(16);
    expect(found.boots.at(-1)?.nonce).toBe('0000000000000028');
  });
});

describe('clients', () => {
  it('begin a new interval, which forgets counts but not acknowledgements', async () => {
    await send(...ticks(1, 10), ...ticks(5, 20, { journalAcked: 9, clockNs: 1 }));
    await resetWitness({ observerSocket: observer.socket, vmid: VMID });
    await send(...ticks(21, 25, { journalAcked: 11 }));
    expect(await report()).toMatchObject({ ticks: { first: 21, received: 5, regressions: 0 }, boots: [{ journalFirst: 1, journalAcked: 11 }] });
  });

  it('leave marks', async () => {
    await send({ tick: 4 });
    await askObserver(observer.socket, { op: 'mark', vmid: VMID, label: 'say "switchover"' });
    expect((await report()).marks).toMatchObject([{ tick: 4, label: 'say "switchover"' }]);
  });

  it('see every guest', async () => {
    await send({ tick: 1 }, { tick: 3, vmid: 102 });
    expect(await askObserver(observer.socket, { op: 'list' })).toMatchObject({
      guests: [
        { vmid: 101, tick: 1 },
        { vmid: 102, tick: 3 },
      ],
    });
  });

  it('are told what is wrong with a question', async () => {
    await expect(report(555)).rejects.toMatchObject({ code: 'not-found' });
    const socket = connect(observer.socket);
    for (const bad of ['nonsense', '{"op":"fly","vmid":101}', '{"op":"report","vmid":-1}', '{"op":"report","more":{}}', `{"op":"${'x'.repeat(300)}"}`]) {
      socket.write(`${bad}\n`);
      const [answer]: unknown[] = await once(socket, 'data');
      expect(JSON.parse(String(answer))).toMatchObject({ ok: false, error: 'bad-request' });
    }
    socket.destroy();
  });

  it('reach the guest, whose lost answers are asked for again', async () => {
    const guest = createSocket('udp4');
    const heard: string[] = [];
    guest.on('message', (message, from) => {
      heard.push(message.toString());
      const [id = ''] = message.toString().split(' ');
      if (heard.length < 2) return; // as if the answer had got lost
      guest.send(`${id} {"ok":true,"pagesChecked":3,"errorsFound":0,"memoryErrors":0,"firstError":null}`, from.port, from.address);
    });
    guest.bind(7002, '127.0.0.1');
    await once(guest, 'listening');
    await send({ tick: 1 });
    expect(await askGuestVerify({ observerSocket: observer.socket, vmid: VMID })).toMatchObject({ pagesChecked: 3 });
    expect(new Set(heard).size).toBe(1);
    guest.close();
  });

  it('hear of a guest that stays silent', async () => {
    await send({ tick: 1 });
    await expect(askGuest({ observerSocket: observer.socket, vmid: VMID, timeoutMs: 100 }, 'status')).rejects.toMatchObject({
      code: 'lab-failed',
      details: { error: 'guest-silent' },
    });
  });
});

describe('an observer that restarts', () => {
  it('remembers, and blames no guest for its own absence', async () => {
    await send(...ticks(1, 10, { journalAcked: 5 }));
    await observer.restart();
    await send(...ticks(500, 510, { journalAcked: 6 }));
    expect(await report()).toMatchObject({
      ticks: { first: 1, received: 21, missing: 0, regressions: 0, gapCount: 0 },
      boots: [{ journalFirst: 1, journalAcked: 6 }],
      observer: { restarts: 1 },
    });
  });
});
