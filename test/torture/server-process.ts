/** `aftercare serve` as a child process with free ports. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../bin/aftercare.js', import.meta.url));

export class ServerProcess {
  readonly #child: ChildProcess;
  #output = '';
  #errors = '';
  /** Resolves with the exit code or signal when the process has ended. */
  readonly exited: Promise<string>;

  /** @param storeUrl as in STORE_URL; @param more of its environment */
  constructor(storeUrl: string, more: Readonly<Record<string, string>> = {}) {
    const env = {
      PATH: process.env.PATH,
      HTTP_PORT: '0',
      MLLP_PORT: '0',
      STORE_URL: storeUrl,
      LOG_LEVEL: 'error',
      ...more,
    };
    this.#child = spawn(process.execPath, [main, 'serve'], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#output += text;
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#errors += text;
    });
    this.exited = new Promise((resolve) =>
      this.#child.once('close', (code, signal) => resolve(String(signal ?? code))),
    );
  }

  /** The addresses that it prints; rejects when it ends before. */
  ready(): Promise<{ http: string; mllp: string }> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const http = /FHIR (http\S+)\n/.exec(this.#output)?.[1];
        const mllp = /HL7 v2 (mllp\S+)\n/.exec(this.#output)?.[1];
        if (http && mllp) resolve({ http, mllp });
      };
      this.#child.stdout?.on('data', look);
      look();
      void this.exited.then((how) =>
        reject(new Error(`the server ended (${how}) before it was ready: ${this.#errors}`)),
      );
    });
  }

  /** What it wrote to its log: errors only, when nothing else was asked for. */
  get log(): string {
    return this.#errors;
  }

  /** Everything that it wrote. */
  get written(): string {
    return this.#output + this.#errors;
  }

  /** Resolves when it has written that. */
  wrote(text: string): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (this.written.includes(text)) resolve();
      };
      this.#child.stdout?.on('data', look);
      this.#child.stderr?.on('data', look);
      look();
    });
  }

  kill(signal: 'SIGKILL' | 'SIGTERM'): void {
    this.#child.kill(signal);
  }
}
