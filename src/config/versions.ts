import Joi from 'joi';
import { section } from './section';

/** Temporal puts a `:` between the name of the deployment and the build id. */
const VERSION_NAME = /^[^\s:]{1,200}$/;

const ROLLOUTS = ['manual', 'replace'] as const;
export type Rollout = (typeof ROLLOUTS)[number];

const variables = {
  WORKER_DEPLOYMENT: versionName()
    .note('`TEMPORAL_DEPLOYMENT_NAME`, or else the same as `TEMPORAL_TASK_QUEUE`')
    .description(
      "Temporal's Worker Deployment of the workers of orders, whose versions `npm run deploy:versions` manages",
    ),
  WORKER_BUILD_ID: versionName()
    .note('`TEMPORAL_WORKER_BUILD_ID`, or else made of the workflow code')
    .description('Version of the workflow code within the deployment'),
  TEMPORAL_DEPLOYMENT_NAME: versionName().note('none').description("Set by Temporal's worker controller"),
  TEMPORAL_WORKER_BUILD_ID: versionName().note('none').description("Set by Temporal's worker controller"),
  WORKER_ROLLOUT: Joi.string<Rollout>()
    .valid(...ROLLOUTS)
    .default('manual')
    .tag('worker')
    .description(
      '`manual`: new orders go to a new version of the workflow code once `deploy:versions` says so, and open ones stay ' +
        'with the old one until they move. `replace`: a new version takes over as soon as its workers work, and open orders as ' +
        'soon as no worker of their version is left; for hosts where an update replaces all workers',
    ),
};

export const versions = section({
  title: 'Versions of the workers',
  readBy: ['worker', 'setup'],
  variables,
  config: (env) => ({
    /** Named as the task queue of the orders if undefined. */
    deployment: env.WORKER_DEPLOYMENT ?? env.TEMPORAL_DEPLOYMENT_NAME,
    /** Made of the workflow code if undefined. */
    buildId: env.WORKER_BUILD_ID ?? env.TEMPORAL_WORKER_BUILD_ID,
    rollout: env.WORKER_ROLLOUT,
  }),
});

function versionName() {
  return Joi.string<string | undefined>()
    .pattern(VERSION_NAME)
    .messages({ 'string.pattern.base': '{#label} must have no spaces and no colon' });
}
