/** The hospital's side: node-hl7-client, one connection per HL7 version, because it insists on one. */
import { Client, Message } from 'node-hl7-client';

type Connection = ReturnType<Client['createConnection']>;

export class HospitalSender {
  readonly #port: number;
  readonly #connections = new Map<string, Connection>();
  #answered: ((code: string) => void) | undefined;

  constructor(mllp: string) {
    this.#port = Number(new URL(mllp).port);
  }

  /** Sends the bytes as they are: latin1 in and out keeps every byte. @returns MSA-1 of the answer */
  async send(bytes: Buffer): Promise<string> {
    const text = bytes.toString('latin1').replace(/\r$/, '');
    const version = text.split('|')[11]?.split('\r')[0] ?? '2.5.1';
    const connection = await this.#connection(version);
    const answer = new Promise<string>((resolve) => {
      this.#answered = resolve;
    });
    await connection.sendMessage(new Message({ text }));
    return answer;
  }

  async #connection(version: string): Promise<Connection> {
    const known = this.#connections.get(version);
    if (known) return known;
    const client = new Client({ host: '127.0.0.1', version: version as '2.5.1' });
    const connection = client.createConnection(
      { port: this.#port, version: version as '2.5.1', encoding: 'latin1' },
      async (response) => {
        this.#answered?.(response.getMessage().get('MSA.1').toString());
      },
    );
    this.#connections.set(version, connection);
    await new Promise((resolve) => connection.once('connect', resolve));
    return connection;
  }

  close(): void {
    for (const connection of this.#connections.values()) void connection.close();
  }
}
