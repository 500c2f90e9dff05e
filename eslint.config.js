/**
 * The house rules that a machine can check. Which packages a layer may import stands here, which folders it may import
 * stands in .dependency-cruiser.cjs; every ban says why, because the message is all that the reader sees.
 */
import tseslint from 'typescript-eslint';

const TEMPORAL = '@temporalio/';
const NODE_BUILTINS = { regex: '^node:', message: 'No I/O here: what this layer needs to know is passed in.' };
const SHELL = {
  name: 'node:child_process',
  importNames: ['exec', 'execSync'],
  message: 'Start programs with argument arrays (spawn, execFile, tinyexec): a shell would read names of guests and paths as code.',
};
const NO_BARE_BUILTINS = {
  regex: '^(fs|path|os|net|tls|child_process|crypto|events|stream|util)(/|$)',
  message: 'Write node:fs: it can not be shadowed by a package.',
};

/** One layer: the packages that it must not import, with the reason. */
const layer = (name, files, patterns) => ({
  name: `layer/${name}`,
  files,
  rules: { 'no-restricted-imports': ['error', { paths: [SHELL], patterns: [NO_BARE_BUILTINS, ...patterns] }] },
});
const ban = (regex, message) => ({ regex, message });
const allPackagesBut = (names, message) => ban(`^(?!\\.|node:)(?!(${names.join('|')})(/|$))`, message);

const CLOCK = 'A workflow is replayed: take the time from the helper that Temporal makes deterministic.';
const syntaxBans = [
  { selector: 'TSEnumDeclaration', message: 'Use a string union made from an `as const` list: enums exist at run time and do not narrow.' },
  { selector: 'ExportDefaultDeclaration', message: 'Export by name: the name is then the same in every file.' },
  { selector: 'ExportAllDeclaration', message: 'No barrels: import from the file that defines the thing.' },
  {
    selector: 'ExportNamedDeclaration > FunctionDeclaration[params.length>3]',
    message: 'At most two or three positional parameters, then one options object: a call must be readable without the signature.',
  },
];

export default tseslint.config(
  { ignores: ['dist/**', '.cache/**', 'node_modules/**', 'coverage/**', 'test/histories/**'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'max-lines': ['error', { max: 300 }],
      'no-restricted-syntax': ['error', ...syntaxBans],
      '@typescript-eslint/consistent-type-assertions': ['error', { assertionStyle: 'never' }],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports', disallowTypeAnnotations: false }],
      // `import { type X }` alone would keep the import at run time, and with it the layer below.
      '@typescript-eslint/no-import-type-side-effects': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: 'only-allowed-literals' }],
      // An async function without await is how something that promises turns a throw into a rejection.
      '@typescript-eslint/require-await': 'off',
      // A caller's type parameter documents what comes back from a parser; the rule can't see that.
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
      'no-restricted-imports': ['error', { paths: [SHELL], patterns: [NO_BARE_BUILTINS] }],
    },
  },

  layer(
    'domain',
    ['src/domain/**/*.ts'],
    [NODE_BUILTINS, ban('^[^.]', 'The domain is pure and imports nothing but itself: workflows, drivers and tests all use it.')],
  ),
  layer('schema', ['src/schema/**/*.ts'], [ban(`^${TEMPORAL}`, 'A schema describes input; it knows nothing of who reads it.')]),
  layer(
    'client',
    ['src/client/**/*.ts'],
    [allPackagesBut(['@temporalio/client', '@temporalio/common', 'zod'], 'The client is verbs over Temporal and nothing else.')],
  ),
  layer('cli', ['src/cli/**/*.ts'], [ban(`^${TEMPORAL}`, 'Only src/client talks to Temporal: the CLI stays fast and testable without it.')]),
  layer('drivers', ['src/drivers/**/*.ts'], [ban(`^${TEMPORAL}`, 'Drivers know protocols, not Temporal: local recovery uses them without it.')]),
  layer('shared', ['src/config/**/*.ts', 'src/log/**/*.ts'], [ban(`^${TEMPORAL}`, 'Used before Temporal is loaded.')]),
  layer(
    'workflows',
    ['workflows/**/*.ts'],
    [
      NODE_BUILTINS,
      allPackagesBut(
        ['@temporalio/workflow', '@temporalio/common'],
        'Workflow code runs in a sandbox and is replayed: only the workflow API is deterministic.',
      ),
    ],
  ),
  layer(
    'activities',
    ['activities/**/*.ts'],
    [ban(`^${TEMPORAL}(?!activity|common)`, 'An activity reports to its own attempt only; it neither starts nor reads workflows.')],
  ),
  layer(
    'node worker without Temporal',
    ['worker/node/**/*.ts'],
    [ban(`^${TEMPORAL}`, 'Local recovery runs before Temporal is loaded: a restart inside a blackout must not wait for it.')],
  ),
  layer('lab', ['lab/**/*.ts'], [ban(`^${TEMPORAL}`, 'The lab uses the product as a user does, through src/client.')]),
  layer('chaos', ['chaos/**/*.ts'], [ban(`^${TEMPORAL}`, 'Chaos moves guests as a user does, and judges from outside.')]),

  {
    name: 'deterministic workflows',
    files: ['workflows/**/*.ts'],
    rules: {
      'no-restricted-globals': [
        'error',
        { name: 'Date', message: CLOCK },
        { name: 'setInterval', message: 'Use sleep of the workflow API.' },
        { name: 'process', message: 'A workflow has no process.' },
      ],
      'no-restricted-properties': ['error', { object: 'Math', property: 'random', message: 'Use uuid4 of the workflow API, or pass the value in.' }],
      'no-console': ['error'],
    },
  },
  {
    name: 'the clock of workflows',
    files: ['workflows/workflow-time.ts'],
    rules: { 'no-restricted-globals': 'off' },
  },
  {
    name: 'list of workflows',
    files: ['workflows/index.ts'],
    rules: { 'no-restricted-syntax': ['error', syntaxBans[0], syntaxBans[1]] },
  },
  {
    name: 'programs log, they do not print',
    files: ['src/domain/**/*.ts', 'src/drivers/**/*.ts', 'src/client/**/*.ts', 'activities/**/*.ts', 'worker/**/*.ts'],
    rules: { 'no-console': 'error' },
  },
  {
    // Brands are minted here and nowhere else.
    name: 'brands',
    files: ['src/domain/ids.ts'],
    rules: { '@typescript-eslint/consistent-type-assertions': 'off' },
  },
  {
    name: 'tests',
    files: ['test/**/*.ts', 'bench/**/*.ts'],
    rules: {
      // A test may look into what it has just made; the failure of a wrong guess is the test's.
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-empty-function': 'off',
      // Matchers such as expect.any are of type any by design.
      '@typescript-eslint/no-unsafe-assignment': 'off',
    },
  },
  {
    name: 'configuration files',
    files: ['*.config.ts', '*.config.js'],
    rules: { 'no-restricted-syntax': 'off' },
  },
);
