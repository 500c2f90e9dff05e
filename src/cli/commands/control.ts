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
      const balancePolicy = async () => balancePolicyOf((await loadClusterConfig(file)).balance);
      // Refused now rather than at the first look.
      await balancePolicy();
      await runControlWorker({
        config,
        // A file that is being edited neither ends a blackout nor stops what a failure needs.
        placement: keepingLast(async () => placementOf((await loadClusterConfig(file)).placement), {
          first: placementOf(config.placement),
          onFailure: (error) => log.warn({ error }, 'kedge.yaml can not be read: placement is as it said before'),
        }),
        blackouts: keepingLast(async () => (await loadClusterConfig(file)).blackouts, {
          first: config.blackouts,
          onFailure: (error) => log.warn({ error }, 'kedge.yaml can not be read: blackouts are as it said before'),
        }),
        limits: async () => limitSettingsOf((await loadClusterConfig(file)).limits),
        balancePolicy,
        hooks: keepingLast(
          async () => {
            const { cluster, hooks } = await loadClusterConfig(file);
            return { cluster, hooks };
          },
          { first: config, onFailure: (error) => log.warn({ error }, 'kedge.yaml can not be read: hooks are as it said before') },
        ),
        log,
        ...(options.metrics === undefined ? {} : { metricsAddress: options.metrics }),
      });
    });
}
