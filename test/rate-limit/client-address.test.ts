import fc from 'fast-check';
import { clientAddress } from '../../src/rate-limit/client-address';

it.each([
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['::ffff:c000:201', '192.0.2.1'],
  ['::1', '::/64'],
  ['2001:db8:0:1::', '2001:db8:0:1::/64'],
  ['2001:DB8:0:1:ffff:ffff:ffff:ffff', '2001:db8:0:1::/64'],
  ['2001:db8:0:2::1', '2001:db8:0:2::/64'],
  ['fe80::1%eth0', 'fe80::/64'],
  ['203.0.113.7:51234', '203.0.113.7'],
  ['[2001:db8::1]:443', '2001:db8::/64'],
  ['[2001:db8::1]', '2001:db8::/64'],
  ['unknown', 'unknown'],
  ['unknown:80', 'unknown:80'],
  ['', ''],
])('counts %s as %s', (ip, counted) => {
  expect(clientAddress(ip)).toBe(counted);
});

it('counts the addresses of one IPv6 network as one client, and those of two networks as two', () => {
  fc.assert(
    fc.property(fc.ipV6(), fc.ipV6(), (one, other) => {
      const sameNetwork = networkOf(one) === networkOf(other);
      const mapped = [one, other].some((ip) => !clientAddress(ip).endsWith('/64'));
      expect(mapped || sameNetwork === (clientAddress(one) === clientAddress(other))).toBe(true);
    }),
  );
});

/** Uses the URL parser, which writes an address in its shortest form. */
function networkOf(ip: string): string {
  const [head = '', tail = ''] = new URL(`http://[${ip}]`).hostname.slice(1, -1).split('::');
  const groups = [head, tail].map((part) => part.split(':').filter(Boolean));
  const zeros = Array<string>(8 - groups.flat().length).fill('0');
  return [...groups[0]!, ...zeros, ...groups[1]!].slice(0, 4).join(':');
}
