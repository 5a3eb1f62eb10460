import { BlockList } from 'node:net';
import type { PeerCertificate } from 'node:tls';
import { expect, test } from '@jest/globals';
import { isIn, nameIn, plainAddress } from '../../adapters/mllp/peer.ts';

test.each([
  ['10.0.0.5', '10.0.0.5'],
  ['::ffff:10.0.0.5', '10.0.0.5'],
  ['::FFFF:10.0.0.5', '10.0.0.5'],
  ['fe80::1%eth0', 'fe80::1'],
  ['2001:db8::1', '2001:db8::1'],
])('%s is %s', (address, plain) => {
  expect(plainAddress(address)).toBe(plain);
});

test.each([
  ['10.1.255.255', true],
  ['10.2.0.0', false],
  ['2001:db8:1::9', true],
  ['2001:db9::9', false],
])('%s in 10.1.0.0/16 and 2001:db8::/32: %s', (address, expected) => {
  const list = new BlockList();
  list.addSubnet('10.1.0.0', 16, 'ipv4');
  list.addSubnet('2001:db8::', 32, 'ipv6');
  expect(isIn(list, address)).toBe(expected);
});

test.each<[string, object, string | undefined]>([
  ['the common name', { subject: { CN: 'engine1' }, subjectaltname: 'DNS:other' }, 'CN=engine1'],
  ['the first of several', { subject: { CN: ['engine1', 'engine2'] } }, 'CN=engine1'],
  ['letters of any script', { subject: { CN: '仁和医院' } }, 'CN=仁和医院'],
  ['without what could pretend to be more', { subject: { CN: 'a CN=b\n10.0.0.1' } }, 'CN=a_CN_b_10.0.0.1'],
  ['not more than 100 characters', { subject: { CN: 'x'.repeat(1000) } }, `CN=${'x'.repeat(100)}`],
  [
    'the first alternative name',
    { subject: {}, subjectaltname: 'DNS:engine1, IP Address:10.0.0.5' },
    'SAN=DNS:engine1',
  ],
  ['nothing', { subject: {} }, undefined],
  ['nothing, of no certificate', {}, undefined],
])('the name in a certificate is %s', (_, certificate, name) => {
  expect(nameIn(certificate as PeerCertificate)).toBe(name);
});
