import Joi, { type CustomHelpers } from 'joi';
import { isIP } from 'node:net';
import { entriesOf, isProduction } from './rules';
import { section } from './section';

const variables = {
  WEBHOOK_ALLOWED_NETWORKS: Joi.string<Network[]>()
    .custom(readNetworks)
    .default([])
    .note('none')
    .example('127.0.0.0/8,::1/128')
    .description(
      'Networks that are not of the public internet to which webhooks may be sent nevertheless, for development: ' +
        'comma-separated, such as `127.0.0.0/8,::1/128`. Not in production',
    )
    .messages({
      'networks.invalid': '{#label} must be networks such as 127.0.0.0/8 or fd00::/8, comma-separated',
      'networks.production':
        '{#label} must not be set in production: webhook endpoints could be added that lead into these networks',
    }),
};

export const webhooks = section({
  title: 'Webhooks',
  readBy: ['api', 'worker'],
  variables,
  config: (env) => ({ allowedNetworks: env.WEBHOOK_ALLOWED_NETWORKS }),
});

/** All addresses that begin as this one does. */
export interface Network {
  address: string;
  /** How many bits are the same. */
  prefix: number;
  type: 'ipv4' | 'ipv6';
}

function readNetworks(value: string, helpers: CustomHelpers) {
  if (isProduction(helpers)) return helpers.error('networks.production');
  const networks = entriesOf(value).map(readNetwork);
  return networks.includes(undefined) ? helpers.error('networks.invalid') : networks;
}

/** Reads `10.0.0.0/8` or `fd00::/8`; undefined if it is not a network. */
export function readNetwork(cidr: string): Network | undefined {
  const [, address = '', digits] = /^([\da-fA-F.:]+)\/(\d{1,3})$/.exec(cidr) ?? [];
  const family = isIP(address);
  const prefix = Number(digits);
  if (family === 0 || prefix > (family === 4 ? 32 : 128)) return undefined;
  return { address, prefix, type: family === 4 ? 'ipv4' : 'ipv6' };
}
