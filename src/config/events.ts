import { duration, millisecondsOf } from './rules';
import { section } from './section';

const variables = {
  EVENT_RETENTION: duration('90d').description(
    'How long events stay in the feed (`30d`): a reader who was away for longer has to begin anew',
  ),
};

export const events = section({
  title: 'Events',
  readBy: ['worker'],
  variables,
  config: (env) => ({ retentionMs: millisecondsOf(env.EVENT_RETENTION) }),
});
