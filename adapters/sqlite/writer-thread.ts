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

/** The next order of a port, if there is one. */
function runNext(port: MessagePort): void {
  const next = receiveMessageOnPort(port);
  if (next) run(next.message);
}

// By turns: a port that is never empty would be read to its end before the other.
urgent.on('message', (order: Order) => {
  run(order);
  runNext(parent);
});
parent.on('message', (order: Order | 'end') => {
  runNext(urgent);
  run(order);
});
