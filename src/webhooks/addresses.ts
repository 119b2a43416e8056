import { BlockList, isIP } from 'node:net';
import { readNetwork, type Network } from '../config/webhooks';

/** IPv4 networks that are not of the public internet (IANA's registry of special-purpose addresses). */
const SPECIAL_IPV4 = [
  '0.0.0.0/8', // this host
  '10.0.0.0/8', // private
  '100.64.0.0/10', // shared by the customers of a carrier
  '127.0.0.0/8', // loopback
  '169.254.0.0/16', // link-local, with the metadata of most clouds
  '168.63.129.16/32', // the host of a machine in one of the clouds, with metadata, though it looks public
  '172.16.0.0/12', // private
  '192.0.0.0/24', // protocols, with the metadata of some clouds
  '192.0.2.0/24', // documentation
  '192.88.99.0/24', // was 6to4
  '192.168.0.0/16', // private
  '198.18.0.0/15', // benchmarks
  '198.51.100.0/24', // documentation
  '203.0.113.0/24', // documentation
  '224.0.0.0/4', // multicast
  '240.0.0.0/4', // reserved, with the broadcast address
];

/** The only IPv6 network of the public internet: outside are loopback, link-local, private and mapped addresses, and NAT64. */
const GLOBAL_IPV6 = '2000::/3';

/** What of that leads elsewhere: some of these have an IPv4 address in them. */
const SPECIAL_IPV6 = [
  '2001::/23', // protocols, with Teredo
  '2001:db8::/32', // documentation
  '2002::/16', // 6to4
  '3fff::/20', // documentation
];

const special = listOf([...SPECIAL_IPV4, ...SPECIAL_IPV6].map(network));
const global = listOf([network(GLOBAL_IPV6)]);

function network(cidr: string): Network {
  return readNetwork(cidr)!;
}

function listOf(networks: readonly Network[]): BlockList {
  const list = new BlockList();
  for (const { address, prefix, type } of networks) list.addSubnet(address, prefix, type);
  return list;
}

/** The ports of HTTP below 1024. */
const HTTP_PORTS = [80, 443];
const FIRST_FREE_PORT = 1_024;

/** Whether a URL leads to a port of HTTP, and not to that of mail, name or other servers, which are all below 1024. */
export function hasAllowedPort({ port }: URL): boolean {
  return port === '' || HTTP_PORTS.includes(Number(port)) || Number(port) >= FIRST_FREE_PORT;
}

/** Returns whether an address may be connected to. @param address as the resolver or a URL has it */
export type IsAllowedAddress = (address: string) => boolean;

/**
 * Creates what allows addresses of the public internet and refuses all others, which are inside of what runs us.
 * @param allowed networks that are allowed as well
 */
export function createAddressFilter(allowed: readonly Network[] = []): IsAllowedAddress {
  const exceptions = listOf(allowed);
  return (address) => {
    const family = isIP(address);
    if (family === 0) return false;
    const type = family === 4 ? 'ipv4' : 'ipv6';
    if (exceptions.check(address, type)) return true;
    if (special.check(address, type)) return false;
    return family === 4 || global.check(address, type);
  };
}
