/**
 * Ways to break the product on purpose, each by one branch in a worker, to prove that `npm run chaos` would see it. Never set outside of a lab.
 *
 * - `early-go`: the target is told to run the guest before the source has seen the stream completed.
 * - `no-revoke`: a source that can't reach the target after go takes the guest back without the target's revocation.
 * - `no-fence`: a target that can't be reached counts as fenced, without proof.
 * - `skip-undo`: what a preparation made on the target is not removed.
 * - `reuse-generation`: a roll-back gives the guest back under the generation that it had, instead of a new one.
 */
export const SABOTAGES = ['early-go', 'no-revoke', 'no-fence', 'skip-undo', 'reuse-generation'] as const;
export type Sabotage = (typeof SABOTAGES)[number];
