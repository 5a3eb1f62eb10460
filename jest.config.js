import { availableParallelism } from 'node:os';

// Half a second less for each process that a test starts.
process.env.NODE_COMPILE_CACHE ??= new URL('node_modules/.cache/node', import.meta.url).pathname;

export default {
  // Jest's own runner loads and compiles every module anew for every suite: two thirds of the time of most of ours.
  runner: ['jest-light-runner', { runtime: 'child_process' }],
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {},
  setupFiles: ['<rootDir>/test/support/runner.ts', '<rootDir>/test/support/seed.ts'],
  testSequencer: '<rootDir>/test/support/sequencer.ts',
  // Half of the suites wait for PostgreSQL, Java or a child process: one worker more than cores keeps all of these busy.
  maxWorkers: availableParallelism() + 1,
};
