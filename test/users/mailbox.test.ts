import fc from 'fast-check';
import { DEMO_USERS } from '../../src/users/demo-users';
import { mailboxOf } from '../../src/users/mailbox';
import { email } from '../../src/users/users.schema';

const schemaOf = (address: unknown) => email.validate(address, { convert: false });

it.each([
  ['case', 'Ada@Example.COM', 'ada@example.com'],
  ['spaces around it', '\tada@example.com\n', 'ada@example.com'],
  ['a decomposed letter before the @', 'Zoe\u0308@example.com', 'zo\u00eb@example.com'],
  ['an international domain', 'ada@Bücher.example', 'ada@xn--bcher-kva.example'],
  ['a decomposed domain', 'ada@Bu\u0308cher.example', 'ada@xn--bcher-kva.example'],
  ['a domain in ASCII', 'ada@XN--bcher-KVA.example', 'ada@xn--bcher-kva.example'],
  ['full-width letters in the domain', 'ada@ｅｘａｍｐｌｅ.ｃｏｍ', 'ada@example.com'],
  ['a full-width dot', 'ada@example．com', 'ada@example.com'],
  ['an ideographic dot', 'ada@例え。テスト', 'ada@xn--r8jz45g.xn--zckzah'],
  ['a half-width ideographic dot', 'ada@example｡com', 'ada@example.com'],
])('a mailbox is the same with %s', (_, spelling, mailbox) => {
  expect(schemaOf(spelling)).toEqual({ value: mailbox });
});

it.each([
  'ada',
  '@example.com',
  'ada@',
  'ada@localhost',
  'ada@example..com',
  'ada@example.com.',
  'ada@example.com/x',
  'ada@example.com:25',
  'ada@ex%61mple.com',
  'ada@a_b.com',
  'ada@127.1',
  'ada@1.2.3.4',
  'ada@０x7f.1',
  'ada@[::1]',
  'ada@xn--zzzzzz.example',
  'ada@a／b.com',
  'a da@example.com',
  'ada\u3000@example.com',
  'ada\u200b@example.com',
  'ada@exam\u00adple.com',
  '\u202eada@example.com',
  'ada@a@b.com',
  'ada@exa\tmple.com',
  '\ud800@example.com',
  '  ',
  `${'a'.repeat(65)}@example.com`,
  5,
])('%j is no e-mail address, of which one message tells', (address) => {
  expect(schemaOf(address).error?.details).toHaveLength(1);
});

it('domains that only look alike are not the same', () => {
  expect(mailboxOf('ada@pаypal.example')).toMatch(/^ada@xn--/); // a Cyrillic а
});

it('the mailboxes of the demo users are spelled as those of all users', () => {
  for (const user of DEMO_USERS) expect(mailboxOf(user.email)).toBe(user.email);
});

const local = fc.string({
  unit: fc.constantFrom(...'aZ19.+_-éÉüßİΣσςÅöДд한ｱ\u0301\u0307\u212b\u1e9e'),
  minLength: 1,
  maxLength: 12,
});
const label = fc
  .string({ unit: fc.constantFrom(...'abzAZ09éüßДд한例ｅ'), minLength: 1, maxLength: 8 })
  .map((text) => `x${text}x`);

it('all spellings of an address meet in one, which stays as it is', () => {
  const dots = fc.constantFrom('.', '。', '．', '｡');
  const address = fc.tuple(local, label, dots, fc.constantFrom('example', 'EXAMPLE', 'ｅｘａｍｐｌｅ'));
  fc.assert(
    fc.property(address, ([name, domain, dot, top]) => {
      const mailbox = mailboxOf(`${name}@${domain}.example`)!;
      expect(mailboxOf(mailbox)).toBe(mailbox);
      const spellings = [
        ` ${name.normalize('NFD')}@${domain.normalize('NFD')}${dot}${top}`,
        `${name.normalize('NFC')}@${domain.toLowerCase()}${dot}${top}\n`,
        `${name}@${mailbox.slice(mailbox.lastIndexOf('@') + 1).toUpperCase()}`,
      ];
      for (const spelling of spellings) expect(mailboxOf(spelling)).toBe(mailbox);
    }),
  );
});

it('any address has one spelling or none', () => {
  const any = fc.tuple(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }));
  fc.assert(
    fc.property(any, ([name, domain]) => {
      const mailbox = mailboxOf(`${name}@${domain}`);
      if (mailbox !== null) expect(mailboxOf(mailbox)).toBe(mailbox);
    }),
    { numRuns: 2_000 },
  );
});
