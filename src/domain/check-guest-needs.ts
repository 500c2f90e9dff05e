import { about, finding, softened, type Finding } from './checks.js';
import { compareVersions } from './compare-versions.js';
import type { DeviceNeed, GuestNeeds } from './guest-needs.js';
import type { MigrationKind } from './migration.js';

/** QEMU can send the clipboard's state from this machine type on. */
const CLIPBOARD_SINCE = '10.1';

/** How the guest would move. */
export interface Movement {
  /** Null: not in the way that was asked for; what it needs is judged as if it ran on. */
  readonly kind: MigrationKind | null;
  /** Versioned machine type that it runs with. */
  readonly runningMachine: string | null;
}

/** What in the guest's own config keeps it from moving. */
export function checkGuestNeeds(needs: GuestNeeds, { kind, runningMachine }: Movement): readonly Finding[] {
  const { lock, devices, encryption, unsupported, pending } = needs;
  const runsOn = kind === null || kind === 'live';
  return [
    ...(lock === null ? [] : [about({ detail: lock }, finding('guest-locked', `The guest is locked (${lock})`))]),
    ...devices.map((device) => deviceFinding(device, kind === 'offline')),
    ...(runsOn ? encryption : []).map((key) => about({ keys: [key] }, finding('memory-encrypted', `The memory of the guest is encrypted (${key})`))),
    ...(needs.vncClipboard && runsOn && !sendsClipboard(runningMachine)
      ? [
          finding(
            'clipboard-vnc',
            `The guest shares a clipboard over VNC, which a machine type below ${CLIPBOARD_SINCE} can't send (it runs with ${runningMachine ?? 'an unknown one'})`,
          ),
        ]
      : []),
    ...(runsOn || unsupported.length === 0 ? [] : [unsupportedFinding(unsupported, kind)]),
    ...(pending.length === 0 ? [] : [finding('pending-changes', `Changes of ${pending.join(', ')} wait for the next start of the guest`)]),
  ];
}

function deviceFinding({ key, value, mapping }: DeviceNeed, isOff: boolean): Finding {
  const remedy = `Remove ${key} from the guest's config`;
  if (mapping === null) return about({ keys: [key] }, finding('local-device', `The guest uses the device ${key} of this node (${value})`, remedy));
  const text = `The guest uses the mapped device ${key} (${mapping}), of which Kedge can't tell whether the target has it`;
  const found = about({ keys: [key], detail: mapping }, finding('device-mapped', text, remedy));
  return isOff ? softened(found) : found;
}

function unsupportedFinding(settings: readonly string[], kind: MigrationKind): Finding {
  const found = finding(
    'config-unsupported',
    `Kedge can't start the guest with ${settings.join(', ')}`,
    `Remove ${settings.length === 1 ? 'this setting' : 'these settings'} from the guest's config`,
  );
  return kind === 'restart' ? found : softened(found);
}

function sendsClipboard(machine: string | null): boolean {
  const version = /-(\d+\.\d+)/.exec(machine ?? '')?.[1];
  return version !== undefined && compareVersions(version, CLIPBOARD_SINCE) >= 0;
}
