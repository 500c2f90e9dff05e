/**
 * Power cuts. A node's disk is ext4 on a loop device: EXT4_IOC_SHUTDOWN without log flush makes the file system forget what
 * was not written yet, as a disk does whose machine loses power. The whole machine is frozen first, so that none of its
 * programs ever sees the dead disk: they just stop in the middle of an instruction, and never run again.
 */
import { join } from 'node:path';
import { KedgeError } from '../../src/domain/kedge-error.js';
import { linksOf } from '../address-plan.js';
import { cgroupProcesses, freezeCgroup, isFrozen } from '../cgroups.js';
import { loopDevices } from '../down.js';
import type { LabState, Machine } from '../lab-state.js';
import { machineOf, withMachine, writeLab } from '../lab-store.js';
import { inNetwork, switchPid } from '../network.js';
import { isAlive, sendSignal, waitUntil } from '../processes.js';
import { run } from '../run.js';
import { startMachines } from '../start-machines.js';
import { insidePath } from '../status.js';
import { endDelayLine } from './delay-lines.js';
import { restoreLocalFaults } from './local-faults.js';
import { applyShaping } from './network-faults.js';

const POWER_TIMEOUT_MS = 10_000;
/** EXT4_IOC_SHUTDOWN, _IOR('X', 125, __u32) of fs/ext4/ext4.h, with EXT4_GOING_FLAGS_NOLOGFLUSH = 2. Perl is on every Debian. */
const SHUTDOWN_PERL = 'my $flags = pack("L", 2); open(my $folder, "<", $ARGV[0]) or die "open: $!"; ioctl($folder, 0x8004587d, $flags) or die "ioctl: $!";';

/** Cuts the power of a machine; returns when nothing of it is left but its disk. @throws KedgeError `lab-failed` */
export async function powerOff(lab: LabState, name: string): Promise<LabState> {
  const machine = machineOf(lab, name);
  const { init } = machine;
  if (init === null) throw new KedgeError('already-exists', `Cannot cut the power of ${name}: it is off`);
  if (freezeCgroup(machine.cgroups, true))
    await waitUntil(`standstill of ${name}`, () => isFrozen(machine.cgroups), { timeoutMs: POWER_TIMEOUT_MS }).catch(() => undefined);
  // A machine that died by itself has no disk mounted any more.
  if (machine.role === 'node' && isAlive(init)) await run(['perl', '-e', SHUTDOWN_PERL, insidePath(init, '/var/lib/kedge')]);
  sendSignal(init, 'SIGKILL');
  freezeCgroup(machine.cgroups, false);
  await waitUntil(
    `end of ${name}`,
    () => {
      for (const left of cgroupProcesses(machine.cgroups)) sendSignal(left, 'SIGKILL');
      return !isAlive(init) && cgroupProcesses(machine.cgroups).length === 0;
    },
    { timeoutMs: POWER_TIMEOUT_MS },
  );
  await unplug(lab, machine);
  const off = withMachine(lab, { ...machine, init: null, launcher: null, namespaces: {} });
  writeLab(off);
  return off;
}

/** Starts a machine again: its disk is mounted with journal replay, its boot id is new. @throws KedgeError `lab-failed` */
export async function powerOn(lab: LabState, name: string): Promise<LabState> {
  const machine = machineOf(lab, name);
  if (machine.init !== null && isAlive(machine.init)) throw new KedgeError('already-exists', `Cannot switch ${name} on: it is on`);
  await unplug(lab, machine);
  return startMachines(lab, [name], async (started) => {
    restoreLocalFaults(started, machineOf(started, name));
    for (const each of started.breaks) if (each.machine === name) await applyShaping(started, each);
  });
}

/** The kernel takes ports and disk away a while after the namespaces; here that is asked for and awaited. */
async function unplug(lab: LabState, machine: Machine): Promise<void> {
  for (const link of linksOf(machine)) {
    await endDelayLine(lab, link);
    await inNetwork(switchPid(lab), ['ip', 'link', 'delete', link.port]).catch(() => undefined);
  }
  if (machine.role !== 'node') return;
  const image = join(machine.folder, 'disk.img');
  await waitUntil(`detachment of ${image}`, async () => (await loopDevices(image)).length === 0, { timeoutMs: POWER_TIMEOUT_MS });
}
