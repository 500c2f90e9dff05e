import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import type { CliContext } from './cli-context.js';

/** One top-level command: what `kedge --help` says, and how the rest is loaded when it is asked for. */
export interface CommandRow {
  readonly name: string;
  /** Equal to the description of the loaded command; a test compares them. */
  readonly description: string;
  readonly load: (context: CliContext) => Promise<CommandUnknownOpts>;
}

/** All top-level commands in the order of the help. Only the one that is called gets loaded: that keeps the start short. */
export const COMMAND_TABLE: readonly CommandRow[] = [
  {
    name: 'migrate',
    description: 'Move a guest to another node',
    load: async (context) => (await import('./commands/migrate.js')).migrateCommand(context),
  },
  {
    name: 'check',
    description: 'Tell what stands in the way of a migration and what it would cost; changes nothing',
    load: async (context) => (await import('./commands/check.js')).checkCommand(context),
  },
  {
    name: 'migration',
    description: 'List, show, watch, cancel, release, retry and decide migrations',
    load: async (context) => (await import('./commands/migration/group.js')).migrationCommands(context),
  },
  {
    name: 'guest',
    description: 'Create, list, show, start, stop, shut down, pause, resume and destroy guests',
    load: async (context) => (await import('./commands/guest/group.js')).guestCommands(context),
  },
  {
    name: 'node',
    description: 'List, show, cordon, drain, fill and give up nodes; run the worker of this node',
    load: async (context) => (await import('./commands/node/group.js')).nodeCommands(context),
  },
  {
    name: 'balance',
    description: 'Even out how full nodes are, by live moves: tell which, or make them',
    load: async (context) => (await import('./commands/balance/balance.js')).balanceCommand(context),
  },
  {
    name: 'recommend',
    description: 'Tell which node is better for a guest, why, and what the move would cost; changes nothing',
    load: async (context) => (await import('./commands/recommend.js')).recommendCommand(context),
  },
  {
    name: 'window',
    description: 'Make, list, show, change, pause, run, skip and delete maintenance windows',
    load: async (context) => (await import('./commands/window/group.js')).windowCommands(context),
  },
  {
    name: 'blackout',
    description: 'List the times in which no guest is moved',
    load: async (context) => (await import('./commands/blackout/group.js')).blackoutCommands(context),
  },
  {
    name: 'admission',
    description: 'Show who moves guests now and who waits for what; show and change the limits of that',
    load: async (context) => (await import('./commands/admission/group.js')).admissionCommands(context),
  },
  {
    name: 'event',
    description: 'List what has happened in the cluster, and follow what happens',
    load: async (context) => (await import('./commands/event/group.js')).eventCommands(context),
  },
  {
    name: 'hook',
    description: 'Test who is told of events',
    load: async (context) => (await import('./commands/hook/group.js')).hookCommands(context),
  },
  {
    name: 'control',
    description: 'Run a control worker, which drives the workflows, in the foreground, until SIGTERM',
    load: async (context) => (await import('./commands/control.js')).controlCommand(context),
  },
  {
    name: 'audit',
    description: 'Look on all nodes for anything that should not be there; changes nothing without --repair',
    load: async (context) => (await import('./commands/audit.js')).auditCommand(context),
  },
  {
    name: 'reconcile',
    description: 'Find out which node really has a guest, and settle it; changes nothing without --repair',
    load: async (context) => (await import('./commands/reconcile.js')).reconcileCommand(context),
  },
  {
    name: 'plan',
    description: 'Plan moves for this cluster, or for a snapshot of one; changes nothing',
    load: async (context) => (await import('./commands/plan/group.js')).planCommands(context),
  },
  {
    name: 'config',
    description: 'Check config files of guests, storages and the datacenter in the grammar of PVE',
    load: async (context) => (await import('./commands/config/group.js')).configCommands(context),
  },
  {
    name: 'lab',
    description: 'Build, watch and break a cluster of namespaced nodes on this machine (needs root)',
    load: async () => (await import('./commands/lab/lab-command.js')).labCommand(),
  },
  {
    name: 'pki',
    description: 'Make and show the certificates with which the nodes know each other',
    load: async (context) => (await import('./commands/pki/pki-command.js')).pkiCommand(context),
  },
  {
    name: 'completion',
    description: 'Print the script that completes commands in a shell: bash, zsh or fish',
    load: async () => (await import('./commands/completion.js')).completionCommand(),
  },
];
