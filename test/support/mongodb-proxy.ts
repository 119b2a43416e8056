import { createNetwork } from '../../tools/chaos/network';

/** Opens a proxy to the real MongoDB server. Closing it breaks all connections, as an outage would. */
export async function openMongodbProxy(listenOn = 0) {
  const network = createNetwork();
  const target = Number(new URL(process.env.MONGODB_URI!).port);
  const port = await network.open({ from: 'test', to: 'mongodb', port: target, wire: 'bytes', listenOn });
  return { port, close: () => network.close() };
}
