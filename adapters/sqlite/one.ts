import type Database from 'better-sqlite3';
import { LostClaim } from '../../src/store/store.ts';

/** @throws LostClaim when a statement did not change exactly one row */
export function one(result: Database.RunResult, what: string): void {
  if (result.changes !== 1) throw new LostClaim(what);
}
