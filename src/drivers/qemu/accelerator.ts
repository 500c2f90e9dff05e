import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { kvmTrialFirmware, TRIAL_EXIT_VALUE } from './kvm-trial-firmware.js';

/** How guests' code runs: by the CPU, or translated. Both ends of a migration need the same. */
export type Accelerator = 'kvm' | 'tcg';

const TRIAL_TIMEOUT_MS = 2_000;

const known = new Map<string, Promise<Accelerator>>();

/**
 * Finds out whether KVM really runs guests here, by running one: a tiny firmware that ends QEMU through a debug port.
 * Having /dev/kvm proves nothing (nested without support, no permission). Takes at most 2 s, once per process.
 */
export function detectAccelerator(binary: string): Promise<Accelerator> {
  const cached = known.get(binary);
  if (cached !== undefined) return cached;
  const trial = hasKvmDevice() && hasVirtualizationFlag() ? tryKvm(binary) : Promise.resolve('tcg' as const);
  known.set(binary, trial);
  return trial;
}

function hasKvmDevice(): boolean {
  return statSync('/dev/kvm', { throwIfNoEntry: false })?.isCharacterDevice() ?? false;
}

/** Without hardware help no KVM runs an unchanged guest: that answer needs no trial of 2 s. */
function hasVirtualizationFlag(): boolean {
  return /^flags\s*:.*\b(?:vmx|svm)\b/m.test(readFileSync('/proc/cpuinfo', 'utf8'));
}

async function tryKvm(binary: string): Promise<Accelerator> {
  const folder = mkdtempSync(join(tmpdir(), 'kedge-kvm-'));
  try {
    const firmware = join(folder, 'firmware');
    writeFileSync(firmware, kvmTrialFirmware());
    return (await run(binary, firmware)) === ((TRIAL_EXIT_VALUE << 1) | 1) ? 'kvm' : 'tcg';
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function run(binary: string, firmware: string): Promise<number | null> {
  const machine = ['-machine', 'pc', '-accel', 'kvm', '-cpu', 'kvm64', '-m', '16', '-nodefaults', '-no-user-config', '-display', 'none'];
  const trial = ['-bios', firmware, '-device', 'isa-debug-exit,iobase=0xf4,iosize=0x04'];
  return new Promise((resolve) => {
    const child = spawn(binary, [...machine, ...trial], { stdio: 'ignore', timeout: TRIAL_TIMEOUT_MS, killSignal: 'SIGKILL' });
    child.once('error', () => resolve(null));
    child.once('exit', (code) => resolve(code));
  });
}
