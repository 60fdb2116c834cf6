import tseslint from 'typescript-eslint';

/** Code that runs inside other people's servers. It reports through the log and to `error()`, never to the console. */
const shipped = [
  'index.ts',
  'errors.ts',
  'lib/**/*.ts',
  'connection/**/*.ts',
  'protocols/**/*.ts',
  'timer/**/*.ts',
  'bin/**/*.ts',
];

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/', '.ci/.node24/', 'coverage/'] },
  {
    linterOptions: { reportUnusedDisableDirectives: 'off' },
    rules: {
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-async-promise-executor': 'error',
      'no-debugger': 'error',
      'no-dupe-else-if': 'error',
      'no-duplicate-case': 'error',
      'no-empty': ['error', { allowEmptyCatch: true }],
      'no-self-assign': 'error',
      'no-unsafe-finally': 'error',
      'no-unused-labels': 'error',
      'no-useless-escape': 'error',
      'no-var': 'error',
      'prefer-const': 'error',
      'use-isnan': 'error',
      'valid-typeof': 'error',
      complexity: ['error', 25],
      'max-depth': ['error', 4],
    },
  },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: {
      parserOptions: { project: './tsconfig.json', tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/consistent-type-imports': [
        'error',
        { fixStyle: 'separate-type-imports', disallowTypeAnnotations: false },
      ],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/ban-ts-comment': [
        'error',
        { 'ts-expect-error': 'allow-with-description', 'ts-ignore': true, 'ts-nocheck': true },
      ],
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrors: 'none' },
      ],
      // A user's value is any value: these would ask for casts wherever one passes through.
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/no-base-to-string': 'off',
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/restrict-template-expressions': 'off',
      '@typescript-eslint/restrict-plus-operands': 'off',
      // `static readonly X: 0 = 0` is how isolatedDeclarations wants a constant of a class.
      '@typescript-eslint/prefer-as-const': 'off',
      // An assertion may be for the reader, and isolatedDeclarations asks for some that look idle.
      '@typescript-eslint/no-unnecessary-type-assertion': 'off',
      // Callbacks may be async, and methods of an interface may return a promise without needing one.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: false }],
    },
  },
  {
    files: shipped,
    rules: { 'no-console': 'error' },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      'max-depth': 'off',
      '@typescript-eslint/no-unused-expressions': 'off', // expect(x).to.be.true
      '@typescript-eslint/only-throw-error': 'off', // users may throw anything, and tests do
      '@typescript-eslint/prefer-promise-reject-errors': 'off',
    },
  },
  {
    files: ['test/types/**/*.ts', 'examples/**/*.ts', 'test/golden/apps/**/*.ts'],
    rules: {
      '@typescript-eslint/no-unused-vars': 'off', // a parameter that shows what is there
      '@typescript-eslint/consistent-type-imports': 'off', // what a user would write
      '@typescript-eslint/no-floating-promises': 'off',
    },
  },
);
