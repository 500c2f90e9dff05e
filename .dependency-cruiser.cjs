/**
 * Which folder may import which, and no cycles. The flow goes one way:
 * cli → client → (Temporal) → workflows → activities/interface → activities → drivers; domain is below all, worker and lab compose.
 */
const DOMAIN = '^src/domain/';
/** One layer: the folders of this repository that its files may import; all others are errors, with the reason. */
const only = (name, from, allowed, comment) => ({
  name,
  comment,
  severity: 'error',
  from: { path: from },
  // A type costs nothing at run time: contracts may be named from both sides.
  to: { path: '^(src|workflows|activities|worker|lab|bench|chaos|model|test|tools)/', pathNot: [from, ...allowed], dependencyTypesNot: ['type-only'] },
});

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'Two files that need each other are one file, or hide a third that both need.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    only('domain-is-pure', DOMAIN, [], 'The domain holds the rules; whatever it imported would be in the workflow sandbox too.'),
    only('schema-parses', '^src/schema/', [DOMAIN], 'A schema describes input; it may not know who reads it.'),
    only(
      'config-and-log-are-low',
      '^src/(config|log)/',
      [DOMAIN, '^src/schema/', '^src/(config|log)/'],
      'Used by every program, before anything else is loaded.',
    ),
    only(
      'drivers-know-protocols',
      '^src/drivers/',
      [DOMAIN, '^src/(schema|config|log)/'],
      'Drivers know the world, not the product: local recovery and the lab use them without Temporal.',
    ),
    only(
      'client-knows-no-side',
      '^src/client/',
      [DOMAIN, '^src/(schema|config)/', '^workflows/messages', '^activities/interface'],
      'The client speaks to Temporal in the words of workflows/messages.ts; loading more would make every command slow.',
    ),
    only(
      'workflows-see-types',
      '^workflows/',
      [DOMAIN, '^activities/interface'],
      'Workflow code is bundled and replayed: an implementation pulled in here would run in the sandbox.',
    ),
    {
      name: 'workflows-see-activity-types-only',
      comment: 'activities/interface.ts is a contract of types; a value imported from it would be in every bundle.',
      severity: 'error',
      from: { path: '^workflows/' },
      to: { path: '^activities/', dependencyTypesNot: ['type-only'] },
    },
    only(
      'activities-are-thin',
      '^activities/',
      [DOMAIN, '^src/(drivers|schema|config|log)/', '^worker/node/'],
      'An activity parses, calls the node, maps the error; the way back to workflows or the client is a message.',
    ),
    only(
      'node-side-knows-no-activity',
      '^worker/node/',
      [DOMAIN, '^src/(drivers|schema|config|log)/', '^activities/interface'],
      'Local recovery runs before Temporal is loaded and must not reach it by a detour.',
    ),
    only(
      'worker-composes',
      '^worker/',
      [DOMAIN, '^src/(drivers|schema|config|log|client)/', '^activities/', '^workflows/'],
      'A worker composes the right-hand half; it never needs a command or the lab.',
    ),
    {
      name: 'cli-goes-through-the-client',
      comment:
        'A command parses, calls the client, prints. Programs that a command starts (workers, lab) are imported when they are started, so that "kedge help" stays fast.',
      severity: 'error',
      from: { path: '^src/cli/' },
      to: { path: '^(workflows|activities|worker|lab|bench|chaos|model|test|tools)/', dynamic: false, dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'cli-never-touches-activities',
      comment: 'What a command does to a node goes through a workflow, or through a driver.',
      severity: 'error',
      from: { path: '^src/cli/' },
      to: { path: '^(workflows|activities)/', dependencyTypesNot: ['type-only'] },
    },
    only('lab-uses-the-product', '^lab/', [DOMAIN, '^src/'], 'The lab stands around the product and uses it as a user does.'),
    only(
      'chaos-stands-outside',
      '^chaos/',
      [DOMAIN, '^src/(client|cli/collect-audit|config|drivers)', '^lab/'],
      'Chaos breaks and judges a lab from outside: workers and workflows are what it judges.',
    ),
    {
      name: 'nobody-needs-the-cli',
      comment: 'A thing that others need belongs below the command line.',
      severity: 'error',
      from: { path: '^(src/(?!cli)|workflows|activities|worker)' },
      to: { path: '^src/cli/' },
    },
    {
      name: 'tests-stay-outside',
      comment: 'What the product needs may not live in test/.',
      severity: 'error',
      from: { path: '^(src|workflows|activities|worker|lab)/' },
      to: { path: '^(test|bench|chaos|tools)/' },
    },
    {
      name: 'resolvable',
      comment: 'An import that resolves to nothing fails at run time only.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'no-dev-dependency-at-run-time',
      comment: 'A package of devDependencies is absent from an installed Kedge.',
      severity: 'error',
      from: { path: '^(src|workflows|activities|worker|lab)/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|\\.cache)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'types'] },
  },
};
