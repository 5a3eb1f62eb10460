// Half a second less for each process that a test starts.
process.env.NODE_COMPILE_CACHE ??= new URL('node_modules/.cache/node', import.meta.url).pathname;

export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {},
  setupFiles: ['<rootDir>/test/support/seed.ts'],
  testTimeout: 20_000,
  // Half of the suites wait for PostgreSQL, Java or a child process: one worker for each core keeps both busy.
  maxWorkers: '100%',
  // Jest keeps the ES modules of every suite that a worker has run: a worker that has grown starts anew.
  workerIdleMemoryLimit: '1GB',
};
