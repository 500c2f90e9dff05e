import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import type { CliContext } from '../cli-context.js';
import { globalOptions, newCommand } from '../new-command.js';

/** `kedge control`: a control worker. One of the few files that compose: it loads the worker, lazily. */
export function controlCommand(context: CliContext): CommandUnknownOpts {
  return newCommand('control', {
    description: 'Run a control worker, which drives the workflows, in the foreground, until SIGTERM',
    examples: ['kedge control', 'kedge --config /etc/kedge/kedge.yaml control --metrics 127.0.0.1:9465'],
    notes: 'Stateless: run as many as you like, anywhere that reaches the Temporal server. The log is on stdout, one JSON object a line.',
  })
    .option('--metrics <address:port>', 'serve metrics for Prometheus there')
    .action(async (options, command) => {
      const [
        { findConfig },
        { loadClusterConfig },
        { placementOf },
        { limitSettingsOf },
        { balancePolicyOf },
        { createLogger },
        { runControlWorker },
        { keepingLast },
      ] = await Promise.all([
        import('../find-config.js'),
        import('../../config/load-cluster-config.js'),
        import('../../schema/placement.js'),
        import('../../schema/admission-limits.js'),
        import('../../schema/balance-policy.js'),
        import('../../log/logger.js'),
        import('../../../worker/control-worker.js'),
        import('../../config/keeping-last.js'),
      ]);
      const file = await findConfig(globalOptions(command), context.environment);
      const config = await loadClusterConfig(file);
      const log = createLogger({ fields: { role: 'control' } });
      // A file that is being edited neither ends a blackout nor stops what a failure needs.
      const lastGood = <Value>(what: string, read: (from: typeof config) => Value): (() => Promise<Value>) =>
        keepingLast(async () => read(await loadClusterConfig(file)), {
          first: read(config),
          onFailure: (error) => log.warn({ error }, `kedge.yaml can not be read: ${what} as it said before`),
        });
      const balancePolicy = async () => balancePolicyOf((await loadClusterConfig(file)).balance);
      // Refused now rather than at the first look.
      await balancePolicy();
      await runControlWorker({
        config,
        placement: lastGood('placement is', ({ placement }) => placementOf(placement)),
        blackouts: lastGood('blackouts are', ({ blackouts }) => blackouts),
        limits: async () => limitSettingsOf((await loadClusterConfig(file)).limits),
        balancePolicy,
        hooks: lastGood('hooks are', ({ cluster, hooks }) => ({ cluster, hooks })),
        log,
        ...(options.metrics === undefined ? {} : { metricsAddress: options.metrics }),
      });
    });
}
