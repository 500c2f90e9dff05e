/** The loop of a run: a lab, rounds in it, a fresh lab after a round that failed. */
import { join } from 'node:path';
import { repositoryFolder } from '../../lab/lab-folder.js';
import type { ChaosOptions } from '../options.js';
import type { RoundResult } from '../judge/round-result.js';
import { describeRound } from '../plan/describe-round.js';
import { planRound } from '../plan/plan-round.js';
import { resultText } from '../report.js';
import { survey } from '../observe/survey.js';
import { ChaosLab } from './chaos-lab.js';
import { keepLogs } from './keep-logs.js';
import { runRound, type RoundContext } from './run-round.js';

/** Rounds that hit nothing must not go on for ever. */
const MOST_ROUNDS_PER_KILL = 3;

/** Runs rounds until enough faults have struck, the time is over, or a sabotage was found. @throws KedgeError `lab-failed`, `already-exists` */
export async function runChaos(options: ChaosOptions, say: (text: string) => void): Promise<readonly RoundResult[]> {
  const { seed, kills, sabotage, minutes, name } = options;
  if (sabotage !== null) process.env['KEDGE_LAB_SABOTAGE'] = sabotage;
  const until = minutes === null ? Infinity : performance.now() + minutes * 60_000;
  const results: RoundResult[] = [];
  let context: RoundContext | null = null;
  try {
    for (const round of roundsOf(options)) {
      if (results.filter(({ struck }) => struck).length >= kills || performance.now() > until) break;
      context ??= { ...(await open(name, say)), movesAgain: sabotage !== null };
      const plan = planRound({ seed, sabotage }, round);
      const result = await runRound(context, plan);
      results.push(result);
      say(`#${round} ${describeRound(plan)}: ${resultText(result)}`);
      if (!result.failed) continue;
      const folder = join(repositoryFolder(), '.cache', 'chaos', `seed-${seed}-round-${round}`);
      await keepLogs(context.lab, { folder, result });
      say(`    replay: npm run chaos -- --seed ${seed} --round ${round}${sabotage === null ? '' : ` --sabotage ${sabotage}`}; logs: ${folder}`);
      // What is broken now would be blamed on the next round.
      await context.lab.close();
      context = null;
      if (sabotage !== null) break;
    }
  } finally {
    delete process.env['KEDGE_LAB_SABOTAGE'];
    await context?.lab.close();
  }
  return results;
}

async function open(name: string, say: (text: string) => void): Promise<Omit<RoundContext, 'movesAgain'>> {
  const lab = await ChaosLab.open(name, () => undefined);
  say(`lab "${name}": ${lab.nodes.join(', ')} with a guest of each kind`);
  return { lab, baseline: await survey(lab) };
}

function* roundsOf({ round, kills }: ChaosOptions): Generator<number> {
  if (round !== null) {
    yield round;
    return;
  }
  for (let number = 1; number <= kills * MOST_ROUNDS_PER_KILL; number += 1) yield number;
}
