import Joi from 'joi';
import { section } from './section';

const variables = {
  MONGODB_URI: Joi.string()
    .required()
    .pattern(/^mongodb(\+srv)?:\/\/[^/]+/)
    .example('mongodb://localhost:27017/orders?replicaSet=rs0')
    .description(
      'A replica set, since transactions need one; the path names the database. Docker Compose sets it for its ' +
        'containers',
    )
    // The value may contain a password, so the message must not repeat it.
    .messages({
      'string.pattern.base': '{#label} must look like mongodb://host:27017/orders?replicaSet=rs0',
    }),
};

export const mongodb = section({
  title: 'MongoDB',
  readBy: ['api', 'worker', 'setup'],
  variables,
  config: (env) => ({ uri: env.MONGODB_URI }),
});
