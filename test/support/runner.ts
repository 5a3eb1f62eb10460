/**
 * The light runner runs tests in plain Node: what one suite has loaded the next one finds loaded. It knows the functions of Jest
 * as globals; our tests import them, with their types, from `@jest/globals`.
 */
import { registerHooks } from 'node:module';

const globals = new URL('./globals.ts', import.meta.url).href;

registerHooks({
  resolve: (specifier, context, next) =>
    specifier === '@jest/globals' ? { url: globals, shortCircuit: true } : next(specifier, context),
});
