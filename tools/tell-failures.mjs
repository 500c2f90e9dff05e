/** A reporter of vitest: tells why a test failed as soon as it has. The usual ones tell it when all have ended, which an interrupted run never does. */
export default class TellFailures {
  /** @param {{ fullName: string, result(): { state: string, errors?: readonly { message?: string, diff?: string, stack?: string }[] } }} test */
  onTestCaseResult(test) {
    const { state, errors } = test.result();
    if (state !== 'failed') return;
    const [first] = errors ?? [];
    const where = (first?.stack ?? '').split('\n').filter((line) => /\.test\.ts:\d+/.test(line));
    const what = [first?.message ?? 'without an error', first?.diff ?? ''].join('\n').slice(0, 3_000);
    console.log(`failed: ${test.fullName}\n${what}\n${where.slice(0, 3).join('\n')}`);
  }
}
