import { duration, millisecondsOf } from './rules';
import { section } from './section';

const variables = {
  AUDIT_RETENTION: duration('730d').description(
    'How long entries of the audit log are kept (`365d`); workers remove older ones, a day at a time',
  ),
};

export const audit = section({
  title: 'Audit log',
  readBy: ['worker', 'setup'],
  variables,
  config: (env) => ({ retentionMs: millisecondsOf(env.AUDIT_RETENTION) }),
});
