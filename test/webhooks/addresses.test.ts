import { readNetwork, type Network } from '../../src/config/webhooks';
import { createAddressFilter, hasAllowedPort } from '../../src/webhooks/addresses';

const isAllowed = createAddressFilter();

it.each(['8.8.8.8', '172.32.0.1', '192.167.255.255', '100.128.0.1', '2606:4700:4700::1111', '2a00:1450::1'])(
  'allows %s, which is of the public internet',
  (address) => {
    expect(isAllowed(address)).toBe(true);
  },
);

it.each([
  [
    'private',
    ['10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', '100.64.0.1', 'fc00::1', 'fd12::1'],
  ],
  ['loopback', ['127.0.0.1', '127.255.255.254', '::1', '0.0.0.0', '::']],
  ['link-local', ['169.254.1.1', 'fe80::1', 'fe80::1%eth0', 'fec0::1']],
  [
    'metadata',
    ['169.254.169.254', '169.254.170.2', '192.0.0.192', '100.100.100.200', '168.63.129.16', 'fd00:ec2::254'],
  ],
  [
    'multicast or reserved',
    ['224.0.0.1', '240.0.0.1', '255.255.255.255', '192.0.2.1', 'ff02::1', '2001:db8::1'],
  ],
  [
    'an IPv4 address in an IPv6 one',
    [
      '::ffff:127.0.0.1',
      '::ffff:a00:1',
      '::127.0.0.1',
      '64:ff9b::a00:1',
      '64:ff9b:1::a00:1',
      '2002:7f00:1::',
      '2001:0:7f00:1::',
      '::ffff:0:7f00:1',
      '2002:a9fe:a9fe::',
    ],
  ],
  ['no address', ['', 'localhost', '2130706433', '0x7f.1', '127.1']],
])('refuses what is %s', (_kind, addresses) => {
  expect(addresses.filter(isAllowed)).toEqual([]);
});

it('allows the ports of HTTP, and those that belong to no other protocol', () => {
  const isPort = (port: string) => hasAllowedPort(new URL(`https://erp.example.com${port}/`));
  expect(['', ':443', ':80', ':1024', ':8443', ':65535'].every(isPort)).toBe(true);
  expect([':0', ':22', ':25', ':81', ':444', ':1023'].some(isPort)).toBe(false);
});

it('allows what configuration names, and nothing beside it', () => {
  const networks = ['127.0.0.0/8', '::1/128', 'fd00::/8'].map(readNetwork) as Network[];
  const isAllowedHere = createAddressFilter(networks);
  expect(['127.0.0.1', '::1', '::ffff:127.0.0.1', 'fd12::1', '8.8.8.8'].every(isAllowedHere)).toBe(true);
  expect(['10.0.0.1', '169.254.169.254', 'fe80::1', '::2'].some(isAllowedHere)).toBe(false);
});
