import type { KedgeClient } from '../client/kedge-client.js';
import type { MigrationOptions } from '../domain/migration.js';
import type { ClusterSnapshot } from '../domain/plan/snapshot.js';
import type { Blackout } from '../domain/window/blackout.js';

/** What the commands ask of the cluster: the client's verbs that they use, so that tests can answer with a fake, and what the config files say. */
export interface Cluster
  extends Pick<
    KedgeClient,
    | 'nodes'
    | 'checkMigration'
    | 'startMigration'
    | 'watchMigration'
    | 'showMigration'
    | 'listMigrations'
    | 'cancelMigration'
    | 'releaseMigration'
    | 'decideMigration'
    | 'listNodes'
    | 'cordonNode'
    | 'confirmDead'
    | 'readRecovery'
    | 'readRecoveries'
    | 'testFencing'
    | 'startEvacuation'
    | 'readEvacuation'
    | 'cancelEvacuation'
    | 'manageGuest'
    | 'auditNode'
    | 'readSlots'
    | 'readMoves'
    | 'readSchedules'
    | 'repair'
    | 'windows'
    | 'admission'
    | 'events'
    | 'hooks'
    | 'balance'
    | 'close'
  > {
  /** Options of every migration that the command line leaves out: those of kedge.yaml, then those of datacenter.cfg. */
  readonly migrationDefaults: Partial<MigrationOptions>;
  /** When no guest is moved, by kedge.yaml. */
  readonly blackouts: readonly Blackout[];
  /** The cluster as the planner sees it now, with the wishes of kedge.yaml. */
  takeSnapshot(): Promise<ClusterSnapshot>;
  /**
   * Address of a node that carries copies to it; `network`: that of the migration's options.
   * @throws KedgeError `not-found`, `bad-input` when the node has no address in that network
   */
  migrationAddress(node: string, network: string | null): string;
}
