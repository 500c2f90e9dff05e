/**
 * Breaks the product on purpose, for `npm run chaos -- --sabotage`: a checker that can't fail proves nothing. Read once at the start of a
 * worker; costs one branch where it is asked for.
 */
import { KedgeError } from '../../domain/kedge-error.js';
import { SABOTAGES, type Sabotage } from '../../domain/sabotage.js';

const chosen = readSabotage(process.env);

/** Is the product broken in this way? Never outside of a lab. */
export function isSabotaged(how: Sabotage): boolean {
  return chosen === how;
}

/**
 * What `KEDGE_SABOTAGE` asks for; null without it.
 * @throws KedgeError `bad-config` outside of a lab, which alone sets `KEDGE_CRASH_FOLDER`, and for an unknown name: a worker then ends at once
 */
export function readSabotage(environment: NodeJS.ProcessEnv): Sabotage | null {
  const text = environment['KEDGE_SABOTAGE'];
  if (text === undefined) return null;
  if (environment['KEDGE_CRASH_FOLDER'] === undefined)
    throw new KedgeError('bad-config', `Cannot start with KEDGE_SABOTAGE="${text}": it breaks the product on purpose, and only a lab may do that; unset it`);
  const found = SABOTAGES.find((sabotage) => sabotage === text);
  if (found === undefined) throw new KedgeError('bad-config', `Cannot read KEDGE_SABOTAGE: current value is "${text}", must be one of ${SABOTAGES.join(', ')}`);
  return found;
}
