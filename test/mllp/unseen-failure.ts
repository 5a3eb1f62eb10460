/** For a worker of its own, because there a failure that nobody looks at is the end. Posts the answers that a sender got. */
import { parentPort } from 'node:worker_threads';
import { framed, start, stopAll } from './running.ts';

const { receiver, client } = await start({ auto: false });
const sender = await client();
sender.write(framed('1') + framed('2'));
await receiver.got(2);
receiver.handed[1]?.enhanced('CA 2', Promise.reject(new Error('the mapping is not there')));
// The accept answer of the second message waits for the first: meanwhile the failure is there.
for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
receiver.handed[0]?.answer('AA 1');
parentPort?.postMessage(await sender.take(2));
await stopAll();
