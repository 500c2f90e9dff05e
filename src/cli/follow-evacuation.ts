import type { EvacuationRef } from '../client/evacuation.js';
import { ERROR_CODES } from '../domain/error-codes.js';
import type { EvacuationReport } from '../domain/evacuation.js';
import type { NodeName } from '../domain/ids.js';
import type { CliContext } from './cli-context.js';
import type { Cluster } from './cluster.js';
import { EXIT_CODES } from './exit-codes.js';
import { followReport } from './follow-report.js';
import { evacuationEnd, evacuationLine, evacuationNews } from './render/evacuation-text.js';

export interface FollowEvacuation {
  readonly node: NodeName;
  readonly ref: EvacuationRef;
  readonly json: boolean;
}

/** Shows a drain or an undrain until it ends, as `followReport` does. */
export async function followEvacuation(context: CliContext, cluster: Pick<Cluster, 'readEvacuation'>, { node, ref, json }: FollowEvacuation): Promise<void> {
  await followReport<EvacuationReport>(context, {
    read: () => cluster.readEvacuation(node, ref),
    fields: { node },
    json,
    news: evacuationNews,
    line: evacuationLine,
    end: (report) => ({
      text: evacuationEnd(report),
      exitCode: report.end === 'done' ? EXIT_CODES.ok : ERROR_CODES['migration-refused'].exitCode,
    }),
    hints: { look: `kedge node status ${node}`, stop: `kedge node drain --cancel ${node}` },
  });
}
