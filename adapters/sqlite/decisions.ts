/**
 * Decisions in the order in which they were asked for. Each sees what those before it decided, also what is still on its way
 * to the file; nobody is told of one before all that it saw is durable. Where something is not written after all, what was
 * decided upon it is decided again. It may: a decision is pure.
 */
import type { SearchParameter, SearchRow } from '../../src/fhir/search/parameters.ts';
import { nameOf } from '../../src/store/key.ts';
import { namedView } from '../../src/store/named-view.ts';
import { range } from '../../src/store/numbers.ts';
import { layouts } from '../../src/store/row-layout.ts';
import {
  type CommitRequest,
  type Current,
  type Decision,
  type Effect,
  type IdentifierKey,
  LostClaim,
  type PreparedWrite,
  type View,
} from '../../src/store/store.ts';
import { Stored } from '../../src/store/stored.ts';
import { errorOf, type IndexRow, type NewVersion, type Outcome, type ParameterName, type WriterEffect } from './job.ts';
import { Overlay } from './overlay.ts';
import { currentOf, type Resources } from './resources.ts';
import type { Writer } from './writer.ts';

/**
 * Decisions wait until nobody has waited for an acknowledgement for so long, but never longer than that; then some are made,
 * for so long. ms
 */
const [quietMs, heldMs, freeMs] = [1.5, 10, 5];

/** Units that are decided and not yet written at the most, and characters of JSON in them: bounds memory. */
const [underWayMax, charactersMax] = [32, 16_000_000];

interface Task {
  readonly request: CommitRequest;
  resolve(): void;
  reject(error: unknown): void;
}

/** A unit on its way to the file. */
interface UnderWay {
  readonly task: Task;
  readonly number: number;
  readonly characters: number;
  /** Decisions after it that write nothing: they hold when it does. */
  readonly followers: Follower[];
}

/** A resource as a unit leaves it; without a write only its marks are others. */
interface Changed {
  readonly stored: Stored;
  readonly write?: PreparedWrite;
}

interface Follower {
  readonly task: Task;
  settle(): void;
}

export class Decisions {
  readonly #resources: Resources;
  readonly #writer: Writer;
  readonly #overlay = new Overlay();
  readonly #view: View;
  #waiting: Task[] = [];
  /** In order. */
  readonly #underWay: UnderWay[] = [];
  #characters = 0;
  /** To be decided again, in order, when nothing is under way. */
  #again: Task[] = [];
  /** Something was not written: what is decided from now on begins with what the file has. */
  #isBroken = false;
  #units = 0;
  /** Of the last version that was decided; undefined: what the file has. */
  #sequence: number | undefined;
  #scheduled = false;
  /** Since when a decision has been held back; ms of `performance.now()`. */
  #heldSince: number | undefined;
  #freeUntil = 0;
  #drained: (() => void)[] = [];

  /** @param search current resources in the file; asked for only while nothing is under way */
  constructor(resources: Resources, writer: Writer, search: View['search']) {
    this.#resources = resources;
    this.#writer = writer;
    this.#view = {
      get: (key) => this.#overlay.get(nameOf(key)) ?? resources.current(key),
      find: (key) => this.#find(key),
      search,
    };
  }

  /** @throws LostClaim, and whatever the decision throws */
  commit(request: CommitRequest): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ request, resolve, reject });
      this.#soon();
    });
  }

  /** Resolves when everything that was asked for has been settled. */
  async drained(): Promise<void> {
    while (this.#waiting.length + this.#underWay.length + this.#again.length > 0)
      await new Promise<void>((resolve) => this.#drained.push(resolve));
  }

  #soon(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#turn();
    });
  }

  /** One decision, then the loop goes on: it has others to serve. */
  #turn(): void {
    if (this.#isHeld()) {
      this.#scheduled = true;
      setTimeout(() => {
        this.#scheduled = false;
        this.#turn();
      }, quietMs);
      return;
    }
    const task = this.#next();
    if (task) this.#decide(task);
    this.#writer.flush(!task || this.#waiting.length === 0);
    if (task && this.#waiting.length > 0) this.#soon();
    if (this.#waiting.length + this.#underWay.length === 0) for (const tell of this.#drained.splice(0)) tell();
  }

  /** A sender who gets his acknowledgement at once sends the next message at once: he goes first, for some time. */
  #isHeld(): boolean {
    const now = performance.now();
    const isQuiet = now - this.#writer.urgentAt >= quietMs;
    if (this.#waiting.length === 0 || isQuiet || now < this.#freeUntil) {
      if (isQuiet) this.#heldSince = undefined;
      return false;
    }
    this.#heldSince ??= now;
    if (now - this.#heldSince < heldMs) return true;
    this.#heldSince = undefined;
    this.#freeUntil = now + freeMs;
    return false;
  }

  #next(): Task | undefined {
    const isIdle = this.#underWay.length === 0;
    if (this.#isBroken) {
      if (!isIdle) return undefined;
      this.#isBroken = false;
      this.#overlay.clear();
      this.#resources.forget();
      this.#sequence = undefined;
      this.#waiting.unshift(...this.#again.splice(0));
    }
    const isFull = this.#underWay.length >= underWayMax || this.#characters > charactersMax;
    const [task] = this.#waiting;
    if (!task || isFull || (!isIdle && task.request.keys.some((key) => 'query' in key))) return undefined;
    return this.#waiting.shift();
  }

  #decide(task: Task): void {
    const number = ++this.#units;
    const sequence = this.#sequence;
    try {
      const view = namedView(this.#read(task.request.keys), task.request.keys);
      const { writes, effects = [] }: Decision = task.request.decide(view);
      if (writes.length + effects.length === 0) {
        this.#follow({ task, settle: () => task.resolve() });
        return;
      }
      const changed: Changed[] = [];
      const made = effects.flatMap((effect) => this.#effect(effect, view, changed));
      const versions = writes.map((write) => this.#version(write, task.request, view.get(write), changed));
      for (const { stored, write } of changed) this.#overlay.put(number, stored, write);
      const characters = writes.reduce((sum, { json }) => sum + (json?.length ?? 0), 0);
      this.#characters += characters;
      this.#underWay.push({ task, number, characters, followers: [] });
      const unit = { kind: 'unit', round: this.#writer.round, versions, effects: made } as const;
      this.#writer.add(unit, (outcome) => this.#settle(outcome));
    } catch (error) {
      this.#sequence = sequence;
      this.#follow({ task, settle: () => task.reject(error) });
    }
  }

  /**
   * The resources that a decision names are read at once, before it begins: while a read is open, the log behind it cannot
   * begin anew (sqlite.org/wal.html#avoiding_excessively_large_wal_files).
   */
  #read(keys: CommitRequest['keys']): View {
    const read = new Map<string, Current | undefined>();
    const readAll = (): void => {
      for (const key of keys) if ('id' in key) read.set(nameOf(key), this.#view.get(key));
    };
    if (keys.length > 0) this.#resources.atOnce(readAll);
    return {
      ...this.#view,
      get: (key) => {
        const name = nameOf(key);
        return read.has(name) ? read.get(name) : this.#view.get(key);
      },
    };
  }

  /** Nobody is told what was decided upon something that may not be written. */
  #follow(follower: Follower): void {
    const last = this.#underWay.at(-1);
    if (last) last.followers.push(follower);
    else follower.settle();
  }

  /** Outcomes come in the order of the units. */
  #settle(outcome: Outcome): void {
    const { task, number, characters, followers } = this.#underWay.shift() as UnderWay;
    this.#characters -= characters;
    if (outcome.kind === 'done') {
      for (const name of this.#overlay.settle(number)) this.#resources.forget(name);
      task.resolve();
      for (const { settle } of followers) settle();
    } else {
      this.#isBroken = true;
      if (outcome.kind === 'again') this.#again.push(task);
      else task.reject(errorOf(outcome));
      this.#again.push(...followers.map((it) => it.task));
    }
    this.#soon();
  }

  #find(key: IdentifierKey): Current[] {
    const changing = this.#overlay.identified(key);
    const found = new Map<string, Stored>();
    for (const row of this.#resources.find(key, 2 + changing.size)) {
      const name = nameOf(row);
      if (changing.get(name) !== false) found.set(name, this.#overlay.get(name) ?? currentOf(row));
    }
    for (const [name, has] of changing) {
      const stored = this.#overlay.get(name);
      if (has && stored) found.set(name, stored);
    }
    return [...found.values()].sort((a, b) => a.rid - b.rid).slice(0, 2);
  }

  #version(
    write: PreparedWrite,
    { cause }: CommitRequest,
    before: Current | undefined,
    changed: Changed[],
  ): NewVersion {
    const { type, id, version, interaction, at, json, marks } = write;
    if (version !== (before?.version ?? 0) + 1) throw new Error(`a ${type} is not written as the next version`);
    this.#sequence ??= this.#resources.head();
    const sequence = ++this.#sequence;
    const rid = (before as Stored | undefined)?.rid ?? range(type).low + sequence;
    const fields = { type, id, version, sequence, at, interaction, cause, json };
    changed.push({ stored: new Stored(rid, fields, marks ?? before?.marks), write });
    return {
      ...fields,
      rid,
      ...(marks !== undefined && { marks }),
      added: write.added.map(indexRow),
      removed: write.removed.map(indexRow),
    };
  }

  #effect(effect: Effect, view: View, changed: Changed[]): WriterEffect[] {
    if (effect.kind === 'marks') {
      // Refuses what the commit did not name.
      const stored = view.get(effect.key) as Stored | undefined;
      if (!stored) throw new LostClaim(`marks of a ${effect.key.type}`);
      changed.push({ stored: stored.withMarks(effect.marks) });
    }
    if (effect.kind !== 'index') return [effect];
    const { key, parameter, rows } = effect;
    const stored = this.#view.get(key) as Stored | undefined;
    if (stored?.json === undefined) return [];
    const parameters = [parameter, ...parameter.modified].map(parameterName);
    return [{ kind: 'index', rid: stored.rid, born: stored.sequence, parameters, rows: rows.map(indexRow) }];
  }
}

function parameterName({ kind, type, code }: SearchParameter): ParameterName {
  return [kind, type, code];
}

function indexRow({ parameter, value }: SearchRow): IndexRow {
  return [value.kind, parameter.type, parameter.code, ...layouts[value.kind].cells(value)];
}
