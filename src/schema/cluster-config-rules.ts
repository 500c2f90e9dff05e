import { clusterConfigSchema } from './cluster-config.js';
import { whyNoRule } from './window-occurrences.js';

/** kedge.yaml with the rules of its blackouts checked too. A file of its own: the library of rules is loaded only where there are some. */
export const clusterConfigWithRulesSchema = clusterConfigSchema.superRefine(({ blackouts }, context) => {
  for (const [at, blackout] of blackouts.entries()) {
    const why = whyNoRule(blackout);
    if (why !== null) context.addIssue({ code: 'custom', path: ['blackouts', at, why.field], message: why.reason });
  }
});
