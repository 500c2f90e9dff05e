import type { KedgeClient } from '../client/kedge-client.js';
import type { MigrationOptions } from '../domain/migration.js';

/** What the commands ask of the cluster: the client's verbs that they use, so that tests can answer with a fake, and kedge.yaml's defaults. */
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
    | 'manageGuest'
    | 'auditNode'
    | 'readSlots'
    | 'close'
  > {
  /** Options of every migration that the command line leaves out. */
  readonly migrationDefaults: Partial<MigrationOptions>;
}
