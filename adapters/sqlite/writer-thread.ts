/** The thread that writes: it takes orders and answers them. What it cannot answer ends it, and the program with it. */
import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import type { Order } from './job.ts';
import { openDatabase } from './open.ts';
import { StageRows } from './stage-rows.ts';
import { Transactions } from './transactions.ts';
import { Watch } from './watch.ts';

/** What the thread is started with. */
export interface WriterThreadData {
  readonly path: string;
  /** Orders that go before those of the parent port. */
  readonly urgent: MessagePort;
}

/** How long orders of the parent port wait while there are urgent ones; ms. A port that is never empty would hold the other for ever. */
const heldMs = 20;

const { path, urgent } = workerData as WriterThreadData;
const parent = parentPort as MessagePort;
const db = openDatabase(path);
const transactions = new Transactions(db, new StageRows(db, new Watch(db)));

function run(order: Order | 'end'): void {
  if (order === 'end') {
    for (let last = receiveMessageOnPort(urgent); last; last = receiveMessageOnPort(urgent)) run(last.message);
    db.close();
    urgent.close();
    parent.close();
    return;
  }
  const answer = transactions.run(order);
  if (answer) parent.postMessage(answer);
}

/** When the last order of the parent port was done; ms of `performance.now()`. */
let doneAt = Number.NEGATIVE_INFINITY;

function runHeld(order: Order | 'end'): void {
  run(order);
  doneAt = performance.now();
}

const isHeldLong = (): boolean => performance.now() - doneAt >= heldMs;

urgent.on('message', (order: Order) => {
  run(order);
  if (!isHeldLong()) return;
  const next = receiveMessageOnPort(parent);
  if (next) runHeld(next.message);
});
parent.on('message', (order: Order | 'end') => {
  while (!isHeldLong()) {
    const first = receiveMessageOnPort(urgent);
    if (!first) break;
    run(first.message);
  }
  runHeld(order);
});
