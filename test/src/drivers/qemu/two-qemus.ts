/** Two real QEMUs on this host, as the two ends of a migration; a SeaBIOS without disk is guest enough. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { killQemu } from '../../../../src/drivers/qemu/kill-qemu.js';
import { qemuArguments } from '../../../../src/drivers/qemu/qemu-arguments.js';
import { startQemu, type StartedQemu } from '../../../../src/drivers/qemu/start-qemu.js';
import { parseGuestConfig } from '../../../../src/schema/guest-config.js';

export const BINARY = 'qemu-system-x86_64';
export const TEST_VMID = 990_001;

export interface TwoQemus {
  readonly folder: string;
  readonly source: StartedQemu;
  readonly target: StartedQemu;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Starts both, the target waiting for `migrate-incoming`; both are killed and their files removed at the end. */
export async function startTwoQemus(options: { config?: string; volumes?: Parameters<typeof qemuArguments>[0]['volumes'] } = {}): Promise<TwoQemus> {
  const folder = mkdtempSync(join(tmpdir(), 'kedge-two-'));
  const source = await start({ ...options, folder: join(folder, 'source'), incoming: false });
  const target = await start({ ...options, folder: join(folder, 'target'), incoming: true });
  return {
    folder,
    source,
    target,
    [Symbol.asyncDispose]: async () => {
      for (const { qmp, identity } of [source, target]) {
        qmp.close();
        await killQemu(identity);
      }
      rmSync(folder, { recursive: true });
    },
  };
}

function start(options: {
  config?: string;
  volumes?: Parameters<typeof qemuArguments>[0]['volumes'];
  folder: string;
  incoming: boolean;
}): Promise<StartedQemu> {
  const args = qemuArguments({
    vmid: TEST_VMID,
    config: parseGuestConfig(options.config ?? 'memory: 64\n'),
    folder: options.folder,
    volumes: options.volumes ?? new Map(),
    machineType: 'pc-i440fx-7.2',
    accelerator: 'tcg',
    incoming: options.incoming,
  });
  return startQemu({ vmid: TEST_VMID, folder: options.folder, binary: BINARY, args });
}

/** A CA and one folder in QEMU's layout for each name, both ends in each. */
export function makeCertificates(folder: string, names: readonly string[]): void {
  const openssl = (args: readonly string[]): void => void execFileSync('openssl', [...args], { stdio: 'pipe', cwd: folder });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  mkdirSync(folder, { recursive: true });
  openssl(['req', '-x509', ...key, '-subj', '/CN=test CA', '-keyout', 'ca-key.pem', '-out', 'ca-cert.pem', '-addext', 'keyUsage=critical,keyCertSign']);
  for (const name of names) {
    mkdirSync(join(folder, name));
    openssl(['x509', '-in', 'ca-cert.pem', '-out', `${name}/ca-cert.pem`]);
    for (const end of ['server', 'client']) {
      const san = ['-addext', `subjectAltName=DNS:${name}`, '-addext', 'keyUsage=critical,digitalSignature', '-addext', `extendedKeyUsage=${end}Auth`];
      const signed = ['-CA', 'ca-cert.pem', '-CAkey', 'ca-key.pem', '-addext', 'basicConstraints=critical,CA:FALSE'];
      openssl(['req', '-x509', ...key, ...signed, ...san, '-subj', `/CN=${name}`, '-keyout', `${name}/${end}-key.pem`, '-out', `${name}/${end}-cert.pem`]);
    }
  }
}
