import Joi from 'joi';
import { EXAMPLE_TOKEN, mailedToken } from '../account/account-token.schema';
import { password } from '../users.schema';
import { RECOVERY_CODE } from './recovery-codes';

const TOTP_CODE = /^\d{6}$/;
const ANY_CODE = new RegExp(`${TOTP_CODE.source}|${RECOVERY_CODE.source}`);

/** A code of the app, or a recovery code. */
export const anyCode = Joi.string()
  .pattern(ANY_CODE)
  .messages({ 'string.pattern.base': '{#label} must have six digits, or be a recovery code' })
  .description('Six digits of the authenticator app, or a recovery code')
  .example('492039');

export interface BeginTotpBody {
  currentPassword: string;
}

export const beginTotpBody = Joi.object<BeginTotpBody, true>({
  currentPassword: password.required().description('Your own password'),
})
  .id('BeginTotpRequest')
  .example({ currentPassword: 'correct horse battery' });

export interface TotpSecretView {
  secret: string;
  uri: string;
}

export const totpSecret = Joi.object<TotpSecretView, true>({
  secret: Joi.string().required().description('In Base32, for typing it into the app'),
  uri: Joi.string().required().description('For a QR code that the app reads'),
})
  .id('TotpSecret')
  .example({
    secret: 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP',
    uri: 'otpauth://totp/Orders:ada%40shop.example?issuer=Orders&secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&algorithm=SHA1&digits=6&period=30',
  });

export interface ConfirmTotpBody {
  code: string;
  token: string;
}

export const confirmTotpBody = Joi.object<ConfirmTotpBody, true>({
  code: Joi.string()
    .pattern(TOTP_CODE)
    .messages({ 'string.pattern.base': '{#label} must have six digits' })
    .required()
    .description('Six digits that the app shows'),
  token: mailedToken,
})
  .id('ConfirmTotpRequest')
  .example({ code: '492039', token: EXAMPLE_TOKEN });

export interface RecoveryCodesView {
  recoveryCodes: string[];
}

export const recoveryCodes = Joi.object<RecoveryCodesView, true>({
  recoveryCodes: Joi.array()
    .items(Joi.string())
    .required()
    .description('Each stands in for a code of the app once; they are shown only here'),
})
  .id('RecoveryCodes')
  .example({ recoveryCodes: ['k3xq-v7mn-ab2c-zz5d', 'w2fq-55ta-mmxp-3kcd'] });

export interface RemoveTotpBody {
  code: string;
}

export const removeTotpBody = Joi.object<RemoveTotpBody, true>({ code: anyCode.required() })
  .id('RemoveTotpRequest')
  .example({ code: '492039' });
