import { hostname, userInfo } from 'node:os';

/** Who asks, for the story of a migration: `user@host`; behind sudo the user who called it. */
export function requestedBy(environment: Readonly<Record<string, string | undefined>>): string {
  const user = environment['SUDO_USER'] ?? nameOfUser();
  return `${user}@${hostname()}`;
}

function nameOfUser(): string {
  try {
    return userInfo().username;
  } catch {
    // A uid without an entry in passwd, as in some containers.
    return `uid ${String(process.getuid?.() ?? '?')}`;
  }
}
