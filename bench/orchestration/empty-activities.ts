import { Context } from '@temporalio/activity';
import type { CopyResult, NodeActivities } from '../../activities/interface.js';
import { parseGeneration, parseVmid, type NodeName } from '../../src/domain/ids.js';
import type { NodeInventory } from '../../src/domain/node-facts.js';

/** The guest that all runs move. */
export const BENCH_VMID = parseVmid(100);

/** The activities of a node that does nothing and succeeds at once: what is left is the cost of the orchestration. */
export function emptyActivities(node: NodeName): NodeActivities {
  const inventory = () => emptyInventory(node);
  return {
    presence: async () => {
      for (;;) {
        Context.current().heartbeat(inventory());
        await Context.current().sleep(1_000);
      }
    },
    inspectSource: async () => ({
      findings: [],
      inventory: inventory(),
      guest: {
        name: 'bench',
        generation: parseGeneration(1),
        wanted: 'running',
        config: 'memory: 512\n',
        qemuVersion: '7.2.22',
        movement: 'live',
        kind: 'qemu',
        runningMachine: null,
        memoryBytes: 512 << 20,
        bridges: [],
        storages: [],
        volumes: [],
      },
    }),
    inspectTarget: async () => ({ findings: [], inventory: inventory(), view: { node, bootId: 'bench', record: { kind: 'missing' }, qemu: 'gone' } }),
    claimGuest: async () => ({ generation: parseGeneration(2), wanted: 'running', config: 'memory: 512\n' }),
    unclaimGuest: async () => undefined,
    prepareTarget: async () => ({ host: '127.0.0.1', port: 1, tlsHostname: null, multifdChannels: 1, compression: 'zstd' }),
    revokeTarget: async () => ({ ran: 'no' }),
    cancelStream: async () => undefined,
    watchHeldGuest: async () => ({ wanted: 'stopped' }),
    releaseHold: async () => undefined,
    settleMigration: async () => ({ outcome: 'target-owns', memoryLost: false, blackout: null }),
    examineDoubt: async () => ({
      view: { node, bootId: 'bench', record: { kind: 'missing' }, qemu: 'gone' },
      peer: null,
      alone: { possible: false, what: '' },
    }),
    takeOverCopy: async () => ({ startedAt: null }),
    confirmTarget: async () => ({ announced: true }),
    releaseSource: async () => undefined,
    manageGuest: async () => ({ guest: null, config: null }),
    repairNode: async () => ({ outcome: 'done', because: 'done' }),
    probeNode: async () => ({ from: node, answers: [] }),
    listLostGuests: async () => ({ guests: [], unusable: [], handedOver: [] }),
    takeOverLost: async () => ({ outcome: 'taken', started: true, problem: null }),
    auditNode: async () => ({
      node,
      bootId: 'bench',
      views: [],
      guests: [],
      processes: [],
      sockets: [],
      files: [],
      interfaces: [],
      nftTables: [],
      ports: [],
      journalOpen: [],
    }),
    copyAndSwitchOver: async () => COPY,
    prepareCopy: async () => ({ volumes: [], rsync: { version: '3.4.1', compression: [] } }),
    copyVolumes: async () => ({ rounds: [], bytesSent: 0 }),
    shutDownGuest: async () => ({ offAt: new Date(0).toISOString() }),
    verifyCopy: async () => ({ verified: 0 }),
    handOverCopy: async () => undefined,
    startMoved: async () => ({ startedAt: null }),
  };
}

// The target's confirmation is left to the workflow's own step: all eight steps run.
const COPY: CopyResult = {
  rounds: [],
  bytesSent: 0,
  reattached: 0,
  expectedBlackoutMs: 0,
  blackout: { stopToResumeMs: 0, qemuDowntimeMs: 0 },
  switchoverAt: new Date(0).toISOString(),
  switchoverMs: 0,
  confirmed: false,
};

function emptyInventory(node: NodeName): NodeInventory {
  const isSource = node === 'node1';
  return {
    v: 1,
    node,
    bootId: 'bench',
    at: new Date().toISOString(),
    versions: { kedge: '0.1.0', protocol: 1, qemu: '7.2.22' },
    machineTypes: [],
    cpu: { model: 'bench', flags: [], cores: 2, accelerator: 'tcg' },
    memory: { totalBytes: 8 * 2 ** 30, availableBytes: 8 * 2 ** 30 },
    load: 0,
    bridges: [],
    storages: [],
    guests: isSource
      ? [
          {
            vmid: BENCH_VMID,
            kind: 'qemu',
            name: 'bench',
            record: 'owned',
            generation: parseGeneration(1),
            wanted: 'running',
            migrationId: null,
            qemu: 'running',
            memoryBytes: 512 << 20,
            cores: 1,
          },
        ]
      : [],
    slots: { bulk: 2 },
  };
}
