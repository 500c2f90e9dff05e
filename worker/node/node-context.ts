import type { EventEmitter } from 'node:events';
import type { KedgePaths } from '../../src/config/paths.js';
import type { NodeName, Vmid } from '../../src/domain/ids.js';
import type { GuestSummary } from '../../src/domain/node-facts.js';
import type { PeerProtocol } from '../../src/domain/peer-protocol.js';
import type { Logger } from '../../src/log/logger.js';
import type { ClusterConfig } from '../../src/schema/cluster-config.js';
import type { NodeConfig } from '../../src/schema/node-config.js';
import type { GuestConfigs } from './guests/guest-configs.js';
import type { GuestLocks } from './guests/guest-locks.js';
import type { GuestMonitors } from './guests/guest-monitors.js';
import type { ActiveCopies } from './handover/active-copies.js';
import type { StagedRecords } from './handover/target-stages.js';
import type { IncomingLeases } from './handover/incoming-leases.js';
import type { LostContact } from './handover/lost-contact.js';
import type { DueStarts } from './journal/due-starts.js';
import type { ShutdownMarks } from './journal/shutdown-marks.js';
import type { StartMarks } from './journal/start-marks.js';
import type { LinkProbes } from './inspection/link-probes.js';
import type { StepJournal } from './journal/step-journal.js';
import type { StreamJournal } from './journal/stream-journal.js';
import type { CopyReadings } from './offline/copy-readings.js';
import type { KeptVolumes } from './offline/kept-volumes.js';
import type { VolumeJournal } from './offline/volume-journal.js';
import type { FreeStorages } from './notes/free-storages.js';
import type { Peers } from './peers/peer-directory.js';
import type { ConfigFactsCache } from './presence/config-facts.js';
import type { CpuLoads } from './presence/cpu-loads.js';
import type { VolumeSizes } from './presence/volume-sizes.js';
import type { Recoveries } from './recovery/recoveries.js';
import type { RecordStore } from './records/record-store.js';

/** Everything that the code of one node worker shares; made once in node-worker.ts and passed to each function. */
export interface NodeContext {
  readonly node: NodeName;
  /** Identity of this boot of the node: a record of another boot is a claim, not a permission. */
  readonly bootId: string;
  /** Whether the cluster has registered this boot: until then nothing of an earlier boot may start. */
  readonly boot: { confirmed: boolean };
  /** `doubted`: the cluster did not hear this node for a while, and may have decided something about it. */
  readonly contact: EventEmitter<{ doubted: [] }>;
  /** The peer protocol that this worker speaks; a lab may claim another. */
  readonly protocol: PeerProtocol;
  readonly paths: KedgePaths;
  readonly config: NodeConfig;
  readonly cluster: ClusterConfig;
  readonly log: Logger;
  readonly records: RecordStore;
  readonly steps: StepJournal;
  readonly streams: StreamJournal;
  readonly volumes: VolumeJournal;
  readonly kept: KeptVolumes;
  readonly readings: CopyReadings;
  readonly shutdowns: ShutdownMarks;
  readonly locks: GuestLocks;
  readonly monitors: GuestMonitors;
  readonly guestConfigs: GuestConfigs;
  readonly freeStorages: FreeStorages;
  readonly peers: Peers;
  readonly leases: IncomingLeases;
  readonly starts: StartMarks;
  readonly dueStarts: DueStarts;
  readonly recoveries: Recoveries;
  readonly stages: StagedRecords;
  readonly copies: ActiveCopies;
  readonly probes: LinkProbes;
  readonly lostContact: LostContact;
  /** What presence keeps between two looks, so that a look stays cheap. */
  readonly configFacts: ConfigFactsCache;
  readonly volumeSizes: VolumeSizes;
  readonly cpuLoads: CpuLoads;
  /** What presence last said of each guest. */
  readonly summaries: Map<Vmid, GuestSummary>;
}
