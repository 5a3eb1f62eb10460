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

function run(order: Order): void {
  const answer = transactions.run(order);
  if (answer) parent.postMessage(answer);
}

urgent.on('message', run);
parent.on('message', (order: Order | 'end') => {
  for (let first = receiveMessageOnPort(urgent); first; first = receiveMessageOnPort(urgent)) run(first.message);
  if (order !== 'end') {
    run(order);
    return;
  }
  db.close();
  urgent.close();
  parent.close();
});
