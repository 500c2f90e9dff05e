/**
 * The environment of every rsync that Kedge runs: English messages, and none of the variables that change what rsync does
 * (`RSYNC_RSH`, `RSYNC_PROTECT_ARGS`, …) or lend ssh an agent.
 */
export function rsyncEnvironment(): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'] ?? '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' };
}
