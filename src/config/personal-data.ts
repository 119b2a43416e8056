import { millisecondsOf, optionalDuration } from './rules';
import { section } from './section';

const variables = {
  ORDER_RETENTION: optionalDuration()
    .example('1095d')
    .description(
      'How long after its last change a closed order keeps names, addresses and notes; without it, until the customer is ' +
        'erased. Amounts stay',
    ),
};

export const personalData = section({
  title: 'Personal data',
  readBy: ['worker'],
  variables,
  config: (env) => ({
    orderRetentionMs: env.ORDER_RETENTION === undefined ? undefined : millisecondsOf(env.ORDER_RETENTION),
  }),
});
