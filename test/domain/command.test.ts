import { madeBefore } from '../../src/domain/command';
import { failing, refundOf, refunding } from './fixtures';

describe('madeBefore', () => {
  const made = [refundOf(100, 'k1'), refundOf(200, 'k2')];

  it('finds what was made under the same key', () => {
    expect(madeBefore(made, refunding(200, { id: 'k2', fingerprint: 'f-k2' }))).toBe(made[1]);
  });

  it('finds nothing under a new key', () => {
    expect(madeBefore(made, refunding(200, { id: 'k3' }))).toBeUndefined();
  });

  it('rejects another content under the same key', () => {
    const command = refunding(300, { id: 'k1', fingerprint: 'other' });
    expect(() => madeBefore(made, command)).toThrow(
      failing('IdempotencyKeyReused', /used for another request/),
    );
  });
});
