/** Certificates for tests, made by node:crypto alone: X.509 v3 (RFC 5280) in DER, ECDSA with SHA-256 on P-256. */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

/** PEM texts. */
export interface Pair {
  readonly cert: string;
  readonly key: string;
}

function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const head = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([tag, ...head]), content]);
}

const sequence = (...parts: readonly Uint8Array[]): Buffer => der(0x30, ...parts);
const octets = (content: Uint8Array): Buffer => der(0x04, content);
const bits = (content: Uint8Array): Buffer => der(0x03, Buffer.of(0), content);
const utf8 = (text: string): Buffer => der(0x0c, Buffer.from(text));
const time = (text: string): Buffer => der(0x17, Buffer.from(text));

const ids = {
  commonName: der(0x06, Buffer.from('550403', 'hex')),
  alternativeName: der(0x06, Buffer.from('551d11', 'hex')),
  basicConstraints: der(0x06, Buffer.from('551d13', 'hex')),
  ecdsaWithSha256: der(0x06, Buffer.from('2a8648ce3d040302', 'hex')),
};

function nameOf(commonName: string): Buffer {
  return commonName === '' ? sequence() : sequence(der(0x31, sequence(ids.commonName, utf8(commonName))));
}

interface Subject {
  /** Empty: none. */
  readonly commonName: string;
  readonly authority?: boolean;
  readonly dns?: string;
}

function extensionsOf({ authority, dns }: Subject): Buffer {
  const address = der(0x87, Buffer.of(127, 0, 0, 1));
  const names = sequence(...(dns ? [der(0x82, Buffer.from(dns))] : []), address);
  const constraints = sequence(...(authority ? [der(0x01, Buffer.of(0xff))] : []));
  return sequence(
    sequence(ids.alternativeName, octets(names)),
    sequence(ids.basicConstraints, der(0x01, Buffer.of(0xff)), octets(constraints)),
  );
}

function made(
  subject: Subject,
  issuer: { commonName: string; privateKey: KeyObject } | undefined,
): Pair & { privateKey: KeyObject } {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const algorithm = sequence(ids.ecdsaWithSha256);
  const serial = Buffer.concat([Buffer.of(1), randomBytes(8)]);
  const content = sequence(
    der(0xa0, der(0x02, Buffer.of(2))),
    der(0x02, serial),
    algorithm,
    nameOf((issuer ?? subject).commonName),
    sequence(time('200101000000Z'), time('491231235959Z')),
    nameOf(subject.commonName),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, extensionsOf(subject)),
  );
  const signature = bits(sign('sha256', content, issuer?.privateKey ?? privateKey));
  const lines = sequence(content, algorithm, signature).toString('base64').replace(/.{64}/g, '$&\n');
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    privateKey,
  };
}

/** An authority of its own: `cert` to trust it, `issue` for a certificate of 127.0.0.1. */
export class Authority {
  readonly cert: string;
  readonly #name: string;
  readonly #key: KeyObject;

  constructor(name: string) {
    const { cert, privateKey } = made({ commonName: name, authority: true }, undefined);
    this.cert = cert;
    this.#name = name;
    this.#key = privateKey;
  }

  /** @param commonName empty for a certificate that has none */
  issue(commonName: string, dns?: string): Pair {
    const { cert, key } = made(
      { commonName, ...(dns !== undefined && { dns }) },
      { commonName: this.#name, privateKey: this.#key },
    );
    return { cert, key };
  }
}
