import ipaddr from 'ipaddr.js';

/** An IPv6 network of that size is what one customer of a provider gets, to choose addresses from as they like. */
const IPV6_BYTES = 8;
const WITH_PORT = /^(?:(\d+\.\d+\.\d+\.\d+):\d+|\[([^\]]+)\](?::\d+)?)$/;

/**
 * What a client is counted by: its IPv4 address, or its IPv6 network (/64). What is neither, which a proxy may say,
 * stands for itself. Some proxies write the port too, which is another one with each connection.
 */
export function clientAddress(written: string): string {
  const ip = WITH_PORT.exec(written)?.slice(1).find(Boolean) ?? written;
  if (!ipaddr.isValid(ip)) return ip;
  const address = ipaddr.process(ip); // IPv4 as IPv6 has it is IPv4
  if (address.kind() === 'ipv4') return address.toString();
  const network = address.toByteArray().fill(0, IPV6_BYTES);
  return `${ipaddr.fromByteArray(network).toString()}/64`;
}
