import type { Meter } from '@opentelemetry/api';
import { ConnectionStates, type Connection, type mongo } from 'mongoose';

/** Measures the connections of this process to MongoDB, of all its servers. */
export function measurePool(meter: Meter, connection: Connection): void {
  const idle = new Set<string>();
  const used = new Set<string>();
  let pending = 0;

  function follow(client: mongo.MongoClient): void {
    client.on('connectionCheckOutStarted', () => pending++);
    client.on('connectionCheckOutFailed', () => (pending = Math.max(0, pending - 1)));
    client.on('connectionCheckedOut', (event) => {
      pending = Math.max(0, pending - 1);
      idle.delete(idOf(event));
      used.add(idOf(event));
    });
    client.on('connectionCheckedIn', (event) => {
      used.delete(idOf(event));
      idle.add(idOf(event));
    });
    client.on('connectionClosed', (event) => {
      used.delete(idOf(event));
      idle.delete(idOf(event));
    });
  }

  // Once: the driver keeps its client through outages.
  if (connection.readyState === ConnectionStates.connected) follow(connection.getClient());
  else connection.once('connected', () => follow(connection.getClient()));
  meter
    .createObservableGauge('mongodb_up', {
      description: 'Whether the process has a connection to the primary of MongoDB: 1 or 0',
    })
    .addCallback((result) => result.observe(Number(connection.readyState === ConnectionStates.connected)));
  meter
    .createObservableGauge('mongodb_pool_connections', {
      description:
        'Connections of the process to MongoDB that are idle, or used by an operation; pending, the operations that wait for one',
    })
    .addCallback((result) => {
      result.observe(idle.size, { state: 'idle' });
      result.observe(used.size, { state: 'used' });
      result.observe(pending, { state: 'pending' });
    });
}

function idOf({ address, connectionId }: { address: string; connectionId: number | '<monitor>' }): string {
  return `${address} ${connectionId}`;
}
