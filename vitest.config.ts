import { defineConfig } from 'vitest/config';

const SECOND = 1000;

/**
 * Four kinds of tests, told apart by file name so that a test's cost is visible where it is written:
 * `*.test.ts` unit, `*.isolated.test.ts` the same in a process of its own: a module is replaced, or read once, `*.replay.test.ts` recorded histories, `*.integration.test.ts` real QEMU, sshd or Temporal server, `*.e2e.test.ts` a lab,
 * `*.alone.e2e.test.ts` a lab whose pauses and rates are asserted.
 * No test is retried: one that fails now and then is a defect, of the product or of the test.
 */
export default defineConfig({
  test: {
    // Native addons (the Temporal core) don't load twice into one process.
    pool: 'forks',
    retry: 0,
    passWithNoTests: false,
    setupFiles: ['test/setup/fail-on-warning.ts'],
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['**/*.isolated.test.ts', '**/*.replay.test.ts', '**/*.integration.test.ts', '**/*.e2e.test.ts'],
          // Half of the time of isolated files would go into loading the same modules again.
          isolate: false,
          testTimeout: 10 * SECOND,
          hookTimeout: 10 * SECOND,
        },
      },
      {
        extends: true,
        test: { name: 'unit-isolated', include: ['test/**/*.isolated.test.ts'], testTimeout: 10 * SECOND, hookTimeout: 10 * SECOND },
      },
      {
        extends: true,
        test: { name: 'replay', include: ['test/**/*.replay.test.ts'], testTimeout: 60 * SECOND, hookTimeout: 60 * SECOND },
      },
      {
        extends: true,
        // One file at a time: two cores carry one set of QEMUs, and timings are asserted.
        test: { name: 'integration', include: ['test/**/*.integration.test.ts'], fileParallelism: false, testTimeout: 120 * SECOND, hookTimeout: 120 * SECOND },
      },
      {
        extends: true,
        // Two labs at a time: half of what a test does is to wait for guests, timeouts and restarts.
        test: {
          name: 'e2e',
          include: ['test/**/*.e2e.test.ts'],
          exclude: ['**/*.alone.e2e.test.ts'],
          maxWorkers: 2,
          testTimeout: 600 * SECOND,
          hookTimeout: 300 * SECOND,
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e-alone',
          include: ['test/**/*.alone.e2e.test.ts'],
          fileParallelism: false,
          testTimeout: 600 * SECOND,
          hookTimeout: 300 * SECOND,
        },
      },
    ],
  },
});
