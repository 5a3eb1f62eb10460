/** Work in lanes for a while: the load of N connections, or of N callers of a driver. */

/**
 * Each lane begins its next piece when its last is done.
 * @param ms how long lanes begin new pieces
 * @returns ms per piece
 */
export async function lanes(count: number, ms: number, work: (lane: number) => Promise<void>): Promise<number> {
  const begun = performance.now();
  const end = begun + ms;
  let done = 0;
  await Promise.all(
    Array.from({ length: count }, async (_, lane) => {
      do {
        await work(lane);
        done++;
      } while (performance.now() < end);
    }),
  );
  return (performance.now() - begun) / done;
}
