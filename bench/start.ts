/** Start: from the process's birth to the printed addresses, on an empty database. Promised: under two seconds. */
import { median, type Row, spawnServer, temporary } from './support.ts';

const limitSeconds = 2;

export async function startUp(rounds: number): Promise<Row> {
  const folder = temporary();
  const times: number[] = [];
  for (let i = 0; i < rounds; i++) times.push(await once(folder.path(`start-${i}.db`)));
  folder.remove();
  const seconds = median(times) / 1000;
  return {
    what: 'ready after start',
    unit: 's (floor: the limit)',
    ours: seconds,
    floor: limitSeconds,
    ratio: limitSeconds / seconds,
    promise: 1,
  };
}

function once(path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const begun = performance.now();
    const child = spawnServer(`sqlite:${path}`);
    let took = 0;
    child.stdout.on('data', () => {
      took ||= performance.now() - begun;
      child.kill('SIGTERM');
    });
    child.once('error', reject);
    child.once('exit', () => resolve(took));
  });
}
