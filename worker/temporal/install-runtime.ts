import { DefaultLogger, type LogLevel, Runtime } from '@temporalio/worker';
import type { Logger } from '../../src/log/logger.js';

export interface RuntimeSettings {
  readonly log: Logger;
  /** `<address>:<port>` to serve Prometheus metrics on; none when absent. */
  readonly metricsAddress?: string;
}

/** Installs the process's one Temporal runtime, before any connection: logs go to pino, SIGTERM and SIGINT end the workers in order. */
export function installRuntime({ log, metricsAddress }: RuntimeSettings): void {
  Runtime.install({
    logger: new DefaultLogger('INFO', ({ level, message, meta }) => {
      log[LEVELS[level]]({ ...meta, component: 'temporal' }, message);
    }),
    telemetryOptions: {
      logging: { forward: {}, filter: { core: 'WARN', other: 'WARN' } },
      ...(metricsAddress === undefined ? {} : { metrics: { prometheus: { bindAddress: metricsAddress } } }),
    },
    shutdownSignals: ['SIGINT', 'SIGTERM'],
    workerHeartbeatInterval: '5 seconds',
  });
}

const LEVELS: Readonly<Record<LogLevel, 'trace' | 'debug' | 'info' | 'warn' | 'error'>> = {
  TRACE: 'trace',
  DEBUG: 'debug',
  INFO: 'info',
  WARN: 'warn',
  ERROR: 'error',
};
