import type { Meter } from '@opentelemetry/api';
import type { Connection, mongo } from 'mongoose';

/** Measures the connections of this process to MongoDB, of all its servers. */
export function measurePool(meter: Meter, connection: Connection): void {
  const idle = new Set<string>();
  const used = new Set<string>();
  let waiting = 0;

  function follow(client: mongo.MongoClient): void {
    client.on('connectionCheckOutStarted', () => waiting++);
    client.on('connectionCheckOutFailed', () => waiting--);
    client.on('connectionCheckedOut', (event) => {
      waiting--;
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
  connection.once('connected', () => follow(connection.getClient()));
  meter
    .createObservableGauge('mongodb_pool_connections', {
      description: 'Connections of the process to MongoDB, by state: idle, or used by an operation',
    })
    .addCallback((result) => {
      result.observe(idle.size, { state: 'idle' });
      result.observe(used.size, { state: 'used' });
    });
  meter
    .createObservableGauge('mongodb_pool_waiting', {
      description: 'Operations of the process that wait for a connection to MongoDB',
    })
    .addCallback((result) => result.observe(Math.max(0, waiting)));
}

function idOf({ address, connectionId }: { address: string; connectionId: number | '<monitor>' }): string {
  return `${address} ${connectionId}`;
}
