import { EventEmitter } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Claims } from '../../src/schema/claims.js';
import { loadClaims } from '../../src/config/load-claims.js';
import { loadClusterConfig } from '../../src/config/load-cluster-config.js';
import { loadNodeConfig } from '../../src/config/load-node-config.js';
import { guestConfigFolder, journalFolder, recordFolder, type KedgePaths } from '../../src/config/paths.js';
import { PEER_PROTOCOL, type PeerProtocol } from '../../src/domain/peer-protocol.js';
import { readBootId } from '../../src/drivers/host/boot-id.js';
import { createLogger } from '../../src/log/logger.js';
import { GuestConfigs } from './guests/guest-configs.js';
import { GuestLocks } from './guests/guest-locks.js';
import { GuestMonitors } from './guests/guest-monitors.js';
import { ActiveCopies } from './handover/active-copies.js';
import { IncomingLeases } from './handover/incoming-leases.js';
import { LostContact } from './handover/lost-contact.js';
import { StagedRecords } from './handover/target-stages.js';
import { LinkProbes } from './inspection/link-probes.js';
import { DueStarts } from './journal/due-starts.js';
import { ShutdownMarks } from './journal/shutdown-marks.js';
import { StartMarks } from './journal/start-marks.js';
import { StepJournal } from './journal/step-journal.js';
import { StreamJournal } from './journal/stream-journal.js';
import type { NodeContext } from './node-context.js';
import { FreeStorages } from './notes/free-storages.js';
import { CopyReadings } from './offline/copy-readings.js';
import { KeptVolumes } from './offline/kept-volumes.js';
import { VolumeJournal } from './offline/volume-journal.js';
import { PeerDirectory } from './peers/peer-directory.js';
import { ConfigFactsCache } from './presence/config-facts.js';
import { CpuLoads } from './presence/cpu-loads.js';
import { VolumeSizes } from './presence/volume-sizes.js';
import { Recoveries } from './recovery/recoveries.js';
import { RecordStore } from './records/record-store.js';

/** How long an incoming copy outlives the last word of its source; milliseconds. */
const INCOMING_LEASE_MS = 300_000;

/** Reads the node's configuration and makes what its code shares. @throws KedgeError `bad-config` */
export async function createNodeContext(paths: KedgePaths): Promise<NodeContext> {
  const [config, cluster, claims] = await Promise.all([loadNodeConfig(paths), loadClusterConfig(paths), loadClaims(paths)]);
  mkdirSync(paths.run, { recursive: true });
  mkdirSync(join(paths.state, 'images'), { recursive: true });
  const guestConfigs = new GuestConfigs({ qemu: guestConfigFolder(paths, 'qemu'), lxc: guestConfigFolder(paths, 'lxc') });
  return {
    node: config.name,
    bootId: await readBootId(config.bootIdFile),
    boot: { confirmed: false },
    contact: new EventEmitter(),
    protocol: protocolOf(claims),
    paths,
    config,
    cluster,
    log: createLogger().child({ node: config.name }),
    records: new RecordStore(recordFolder(paths)),
    steps: new StepJournal(journalFolder(paths)),
    streams: new StreamJournal(journalFolder(paths)),
    volumes: new VolumeJournal(journalFolder(paths)),
    kept: new KeptVolumes(journalFolder(paths)),
    readings: new CopyReadings(),
    shutdowns: new ShutdownMarks(journalFolder(paths)),
    locks: new GuestLocks(),
    monitors: new GuestMonitors(paths),
    guestConfigs,
    freeStorages: new FreeStorages(),
    peers: new PeerDirectory(paths, cluster),
    leases: new IncomingLeases(INCOMING_LEASE_MS),
    starts: new StartMarks(journalFolder(paths)),
    dueStarts: new DueStarts(journalFolder(paths)),
    recoveries: new Recoveries(),
    stages: new StagedRecords(),
    copies: new ActiveCopies(),
    probes: new LinkProbes(),
    lostContact: new LostContact(),
    configFacts: new ConfigFactsCache(guestConfigs),
    volumeSizes: new VolumeSizes(),
    cpuLoads: new CpuLoads(),
    summaries: new Map(),
  };
}

/** Who claims another version speaks that one alone, unless he claims more. */
function protocolOf({ kedgeProtocol, kedgeProtocolOldest }: Claims): PeerProtocol {
  return kedgeProtocol === undefined ? PEER_PROTOCOL : { version: kedgeProtocol, oldest: kedgeProtocolOldest ?? kedgeProtocol };
}
