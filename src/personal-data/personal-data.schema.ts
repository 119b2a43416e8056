import Joi from 'joi';
import { password } from '../users/users.schema';

export interface EraseUserBody {
  currentPassword: string;
}

export const eraseUserBody = Joi.object<EraseUserBody, true>({
  currentPassword: password.required().description('Your own password, since nothing brings the data back'),
})
  .id('EraseUserRequest')
  .example({ currentPassword: 'correct horse battery' });

/** The first line of an export. */
export const EXPORT_EXAMPLE = `${JSON.stringify({
  type: 'user',
  id: 'usr_01HZX0000000000000000B0B00',
  email: 'bob@example.com',
  isEmailConfirmed: true,
  name: 'Bob',
  role: 'CUSTOMER',
  status: 'active',
  createdAt: '2026-01-15T09:00:00.000Z',
  updatedAt: '2026-01-15T09:00:00.000Z',
})}\n`;
