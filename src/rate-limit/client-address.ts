import ipaddr from 'ipaddr.js';

/** A provider's customer usually gets a whole /64 network and can use any address of it. */
const IPV6_NETWORK_BYTES = 8;
const WITH_PORT = /^(?:(\d+\.\d+\.\d+\.\d+):\d+|\[([^\]]+)\](?::\d+)?)$/;

/**
 * Returns what a client is counted by: its IPv4 address or its IPv6 network (/64). Anything else that a proxy
 * may write is returned as it is. A port, which some proxies add and which changes with each connection, is
 * removed.
 */
export function clientAddress(written: string): string {
  const ip = WITH_PORT.exec(written)?.slice(1).find(Boolean) ?? written;
  if (!ipaddr.isValid(ip)) return ip;
  const address = ipaddr.process(ip); // turns IPv4-mapped IPv6 addresses into IPv4
  if (address.kind() === 'ipv4') return address.toString();
  const network = address.toByteArray().fill(0, IPV6_NETWORK_BYTES);
  return `${ipaddr.fromByteArray(network).toString()}/64`;
}
