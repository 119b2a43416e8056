import type { User } from './users.repository';
import type { UserView } from './users.schema';

export function presentUser({ id, email, name, role, status, createdAt }: User): UserView {
  return { id, email, name, role, status, createdAt: createdAt.toISOString() };
}
