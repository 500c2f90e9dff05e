import { Option, type Command } from '@commander-js/extra-typings';
import { KedgeError } from '../domain/kedge-error.js';
import { MIGRATION_TYPES, SHUTDOWN_POLICIES, STALL_POLICIES, type MigrationOptions } from '../domain/migration.js';
import { parseArgument } from './parse-arguments.js';

const KIB = 1024;

/** Adds the options that say how a guest moves, the same to every command that moves or checks one. */
export function withMigrationOptions(command: Command) {
  return command
    .option('--online', 'only while it runs, refuse any other way')
    .option('--restart', 'shut it down, move it with its local disks, start it there')
    .option('--shutdown-timeout <span>', 'how long it may take to shut down, e.g. 3m', parseArgument.duration)
    .addOption(new Option('--on-shutdown-timeout <policy>', 'when it does not shut down: fail and let it run on, or stop it').choices(SHUTDOWN_POLICIES))
    .option('--no-presync', 'copy the disks only after the shutdown')
    .option('--keep-source', 'leave the disks on the source too')
    .option('--targetstorage <map>', 'storages of the target: one for all, source:target pairs, or 1 for the same')
    .option('--source <node>', 'the node that runs it now; looked up when left out', parseArgument.node)
    .addOption(new Option('--type <type>', 'secure: TLS; insecure: plain TCP').choices(MIGRATION_TYPES))
    .option('--migration-network <CIDR>', 'network that carries the copy, e.g. 10.1.0.0/24: the address of the target inside of it is used')
    .option('--bwlimit <KiB/s>', 'bandwidth limit of the copy, 0 for none; left out: as storage.cfg and datacenter.cfg have it', parseArgument.integer(0))
    .option('--max-downtime <ms>', "longest pause of the guest to plan for; left out: the guest's migrate_downtime, or 300", parseArgument.integer(1))
    .option('--timeout <span>', 'give up and stay at the source after this time, e.g. 10m; 0 for never', parseArgument.duration)
    .addOption(new Option('--on-stall <policy>', 'when the RAM copy does not converge: abort, or force a longer pause').choices(STALL_POLICIES))
    .option('--ignore-blackout', 'move it although a blackout is on')
    .option('--hold', 'copy now, switch over on "kedge migration release" or at --until')
    .option('--until <instant>', 'end of the hold, e.g. 2026-03-01T02:30:00Z or +30m', parseArgument.instant);
}

interface TypedOptions {
  readonly online?: true;
  readonly restart?: true;
  readonly shutdownTimeout?: number;
  readonly onShutdownTimeout?: MigrationOptions['onShutdownTimeout'];
  readonly presync?: boolean;
  readonly keepSource?: true;
  readonly targetstorage?: string;
  readonly type?: MigrationOptions['type'];
  readonly migrationNetwork?: string;
  readonly bwlimit?: number;
  readonly maxDowntime?: number;
  readonly timeout?: number;
  readonly onStall?: MigrationOptions['onStall'];
  readonly ignoreBlackout?: true;
  readonly hold?: true;
  readonly until?: string;
}

/** Only what was typed: the rest comes from the cluster's defaults. @throws KedgeError `bad-input` for an end of a hold without one */
export function migrationOptions(typed: { [Name in keyof TypedOptions]?: TypedOptions[Name] | undefined }): Partial<MigrationOptions> {
  if (typed.until !== undefined && typed.hold !== true) {
    throw new KedgeError('bad-input', `Cannot read --until: current value is "${typed.until}" without --hold`, {
      details: { remedy: 'Add --hold, or leave --until out' },
    });
  }
  return {
    ...(typed.online === undefined ? {} : { online: true }),
    ...(typed.restart === undefined ? {} : { restart: true }),
    ...(typed.shutdownTimeout === undefined ? {} : { shutdownTimeoutMs: typed.shutdownTimeout }),
    ...(typed.onShutdownTimeout === undefined ? {} : { onShutdownTimeout: typed.onShutdownTimeout }),
    ...(typed.presync === false ? { presync: false } : {}),
    ...(typed.keepSource === undefined ? {} : { keepSource: true }),
    ...(typed.targetstorage === undefined ? {} : { targetStorage: typed.targetstorage }),
    ...(typed.type === undefined ? {} : { type: typed.type }),
    ...(typed.migrationNetwork === undefined ? {} : { network: typed.migrationNetwork }),
    ...(typed.bwlimit === undefined ? {} : { bandwidthLimit: typed.bwlimit * KIB }),
    ...(typed.maxDowntime === undefined ? {} : { maxDowntimeMs: typed.maxDowntime }),
    ...(typed.timeout === undefined ? {} : { timeoutMs: typed.timeout }),
    ...(typed.onStall === undefined ? {} : { onStall: typed.onStall }),
    ...(typed.ignoreBlackout === undefined ? {} : { ignoreBlackout: true }),
    ...(typed.hold === undefined ? {} : { hold: true }),
    ...(typed.until === undefined ? {} : { holdUntil: typed.until }),
  };
}
