import { createTemporalClient } from '../../src/temporal/client';
import { createDataConverter } from '../../src/temporal/data-converter';
import { testConfig } from '../support/config';

it('closes after the attempts of a health check, so that none is made on a closed connection', async () => {
  const config = testConfig({ TEMPORAL_ADDRESS: '127.0.0.1:1' }); // nothing listens there
  const temporal = createTemporalClient(config.temporal, createDataConverter(config.payloadKeys));
  const settled = jest.fn();
  temporal.checkHealth().then(settled, settled);
  await temporal.close();
  await new Promise(setImmediate);
  expect(settled).toHaveBeenCalledTimes(1);
});
