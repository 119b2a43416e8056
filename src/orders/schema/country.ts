import Joi from 'joi';
// The codes alone: the package's entry would load the names of all countries in all languages.
import codes from 'i18n-iso-countries/codes.json';

/**
 * The countries of ISO 3166-1, and Kosovo: XK is of those codes that the standard leaves to its users, and what posts,
 * carriers and payment services write.
 */
const COUNTRIES = codes.map(([alpha2]) => alpha2!).sort();

export const country = Joi.string()
  .valid(...COUNTRIES)
  .messages({
    'any.only':
      '{#label} must be the code of a country of ISO 3166-1 in capitals, such as DE; the United Kingdom is GB, Greece ' +
      'GR, Kosovo XK, and the former AN is now BQ, CW or SX',
  })
  .description('ISO 3166-1 alpha-2, and XK for Kosovo')
  .example('DE')
  .meta({ component: 'Country' });
