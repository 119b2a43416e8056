import js from '@eslint/js';
import markdown from '@eslint/markdown';
import { defineConfig, globalIgnores } from 'eslint/config';
import markdownLinks from 'eslint-plugin-markdown-links';
import temporal from 'eslint-plugin-temporal';
import tseslint from 'typescript-eslint';
import { GLOSSARY } from './tools/lint/glossary.mjs';

const focusedTests = ['describe', 'it', 'test'].map((object) => ({
  object,
  property: 'only',
  message: 'It would silently skip every other test.',
}));

/** Rejects the phrases of the glossary in what the selector finds, `%` being the pattern, on one line or two. */
const plainEnglish = (selector) =>
  Object.entries(GLOSSARY).map(([phrase, instead]) => ({
    selector: selector.replaceAll('%', `/\\b${phrase.replaceAll(' ', '\\s+')}\\b/i`),
    message: `Instead of "${phrase}" write: ${instead} (see "Style" in CONTRIBUTING.md).`,
  }));

/** One way to write what has two. */
const dialect = [
  ...plainEnglish(':matches(Literal[value=%], TemplateElement[value.cooked=%])'),
  {
    selector: 'ObjectExpression > SpreadElement > ObjectExpression',
    message: 'Write the properties themselves instead of spreading a literal.',
  },
  {
    selector: 'ArrayExpression > SpreadElement > :matches(ArrayExpression, TSAsExpression > ArrayExpression)',
    message: 'Write the elements themselves instead of spreading a literal.',
  },
  {
    selector: 'Literal[raw=/^\\d{4,}$/]',
    message: 'Separate groups of three digits: 10_000.',
  },
  {
    selector:
      'ImportDeclaration[source.value="node:timers/promises"] > ImportSpecifier[imported.name="setTimeout"][local.name!="delay"]',
    message: 'The timer that is awaited is called `delay`: import { setTimeout as delay }.',
  },
];
const oneNameForTests = {
  selector: 'CallExpression > :matches(Identifier[name="test"], MemberExpression[object.name="test"]).callee',
  message: 'Tests are written with `it`.',
};

/** At the top of a module, or exported from there. */
const topLevel = (what) => [`Program > ${what}`, `Program > ExportNamedDeclaration > ${what}`];
const sharedState = [
  ...topLevel('VariableDeclaration[kind!="const"]'),
  ...topLevel(
    'VariableDeclaration > VariableDeclarator > NewExpression[callee.name=/^(Map|WeakMap|WeakSet)$/]',
  ),
  ...topLevel(
    'VariableDeclaration > VariableDeclarator:not([id.typeAnnotation]) > NewExpression[callee.name="Set"]',
  ),
].map((selector) => ({
  selector,
  message:
    'Workflows share their modules: what one order leaves here, another would find. Make it a ReadonlySet, or local.',
}));

/** Days have 23 or 25 hours twice a year, but not in UTC. */
const localTime = ['FullYear', 'Month', 'Date', 'Day', 'Hours', 'Minutes'].flatMap((part) =>
  ['get', 'set'].map((verb) => ({
    property: `${verb}${part}`,
    message: `Depends on the time zone of the host: use ${verb}UTC${part}.`,
  })),
);

export default defineConfig(
  globalIgnores(['**/dist/', '**/*.generated.ts', 'coverage/', 'mutants/', '.mutants/', '.data/']),
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    files: ['**/*.md'],
    plugins: { markdown, 'markdown-links': markdownLinks },
    language: 'markdown/gfm',
    rules: {
      'markdown/fenced-code-language': 'error',
      'markdown/table-column-count': 'error',
      'markdown-links/no-missing-fragments': 'error',
      'markdown-links/no-missing-path': ['error', { checkAnchor: true }],
      'no-restricted-syntax': ['error', ...plainEnglish('text[value=%]')],
    },
  },
  {
    files: ['**/*.{js,cjs,mjs,ts}'],
    extends: [js.configs.recommended],
    rules: { 'no-warning-comments': ['error', { terms: Object.keys(GLOSSARY), location: 'anywhere' }] },
  },
  {
    // The compiler knows better than `no-undef` what exists.
    files: ['**/*.{js,cjs,mjs}'],
    rules: { 'no-undef': 'off' },
  },
  {
    // The board shows texts that strangers have written, and keeps tokens in memory only.
    files: ['src/board/page/*.js'],
    rules: {
      'no-restricted-globals': ['error', 'localStorage', 'sessionStorage', 'indexedDB', 'eval'],
      'no-restricted-properties': [
        'error',
        ...['innerHTML', 'outerHTML', 'insertAdjacentHTML', 'setHTMLUnsafe', 'srcdoc', 'cookie'].map(
          (property) => ({
            property,
            message: 'Make elements with h(), whose texts stay texts.',
          }),
        ),
      ],
      eqeqeq: ['error', 'always', { null: 'ignore' }],
    },
  },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      'no-duplicate-imports': 'error',
      'no-restricted-syntax': ['error', ...dialect],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', ignoreRestSiblings: true }],
      '@typescript-eslint/prefer-promise-reject-errors': 'error',
      '@typescript-eslint/return-await': ['error', 'error-handling-correctness-only'],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      // Implementations of asynchronous interfaces need not wait for anything.
      '@typescript-eslint/require-await': 'off',
      // Joi, Koa and parsed JSON hand out `any` where a schema has checked the value; our own code may not make one
      // (`no-explicit-any`).
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      // Objects come from factories here and know no `this`: their methods may be passed on.
      '@typescript-eslint/unbound-method': 'off',
      eqeqeq: ['error', 'always', { null: 'ignore' }],
    },
  },
  {
    // One place reads the environment, one library writes the log.
    files: ['src/**/*.ts', 'activities/**/*.ts'],
    rules: { 'no-console': 'error' },
  },
  {
    files: ['src/**/*.ts', 'workflows/**/*.ts'],
    rules: { 'no-restricted-properties': ['error', ...localTime] },
  },
  {
    files: ['src/*/**/*.ts', 'src/app.ts', 'activities/**/*.ts'],
    ignores: ['src/config/**', 'src/process/entry.ts'], // the entry hands it to the configuration
    rules: {
      'no-restricted-properties': [
        'error',
        {
          object: 'process',
          property: 'env',
          message: 'Take the value from the Config that src/config made.',
        },
        ...localTime,
      ],
    },
  },
  {
    // Determinism, serialisable payloads, time-outs, cancellation.
    files: ['workflows/**/*.ts'],
    extends: [temporal.configs.strict],
    rules: {
      // An order stays open for as long as it takes.
      'temporal/workflow-condition-timeout-style': 'off',
      // Takes `setHandler` for a promise; `@typescript-eslint/no-floating-promises` knows the types.
      'temporal/workflow-no-floating-promises': 'off',
      // Takes every exported function of the folder for a workflow.
      'temporal/workflow-prefer-single-object-args': 'off',
    },
  },
  {
    files: ['workflows/**/*.ts', 'src/domain/**/*.ts'],
    rules: { 'no-restricted-syntax': ['error', ...dialect, ...sharedState] },
  },
  {
    files: ['activities/**/*.ts'],
    extends: [temporal.configs.activity],
    rules: {
      // A plain Error is what makes Temporal try again.
      'temporal/activity-prefer-applicationfailure': 'off',
    },
  },
  { files: ['src/worker.ts', 'src/worker/**/*.ts'], extends: [temporal.configs.worker] },
  {
    files: ['test/**/*.ts'],
    rules: {
      'no-restricted-properties': ['error', ...focusedTests],
      'no-restricted-syntax': ['error', ...dialect, oneNameForTests],
    },
  },
);
