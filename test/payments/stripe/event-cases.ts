import type { FakeStripe } from './fake-stripe';
import type { FakeIntent } from './fake-stripe-state';

/** What is true of a payment at Stripe, which decides on what can happen to it there. */
type Fact = 'asking' | 'reserved' | 'captured' | 'refunded' | 'disputed';

/** Where an order is before the command in whose midst something happens. */
export type Start =
  | 'not placed'
  | 'authorised'
  | 'asking'
  | 'declined'
  | 'lapsed'
  | 'sent in part'
  | 'refunded in part'
  | 'disputed in part';

export type Command = 'place' | 'amend' | 'cancel' | 'fulfill' | 'refund' | 'pay';

/** The middle of a command: before its request reaches Stripe, or before the answer to it comes back. */
export interface Moment {
  start: Start;
  command: Command;
  when: 'before its request' | 'before its answer';
  /** The card of a command that has one. */
  card?: string;
}

const ASKING = 'pm_card_threeDSecure2Required';

/** Each moment, with what is true then of the payment that the request is about, or of the current one before it. */
const MOMENTS: readonly (readonly [Moment, ...Fact[]])[] = [
  [{ start: 'not placed', command: 'place', when: 'before its answer' }, 'reserved'],
  [{ start: 'not placed', command: 'place', when: 'before its answer', card: ASKING }, 'asking'],
  [{ start: 'authorised', command: 'amend', when: 'before its request' }, 'reserved'],
  [{ start: 'authorised', command: 'amend', when: 'before its answer' }, 'reserved'],
  [{ start: 'authorised', command: 'cancel', when: 'before its request' }, 'reserved'],
  [{ start: 'asking', command: 'cancel', when: 'before its request' }, 'asking'],
  [{ start: 'sent in part', command: 'cancel', when: 'before its request' }, 'reserved', 'captured'],
  [{ start: 'sent in part', command: 'cancel', when: 'before its answer' }, 'captured'],
  [{ start: 'disputed in part', command: 'cancel', when: 'before its request' }, 'disputed'],
  [{ start: 'authorised', command: 'fulfill', when: 'before its request' }, 'reserved'],
  [{ start: 'authorised', command: 'fulfill', when: 'before its answer' }, 'reserved', 'captured'],
  [{ start: 'sent in part', command: 'fulfill', when: 'before its request' }, 'reserved', 'captured'],
  [{ start: 'sent in part', command: 'fulfill', when: 'before its answer' }, 'captured'],
  [{ start: 'refunded in part', command: 'fulfill', when: 'before its request' }, 'refunded'],
  [{ start: 'disputed in part', command: 'fulfill', when: 'before its answer' }, 'disputed'],
  [{ start: 'sent in part', command: 'refund', when: 'before its request' }, 'reserved', 'captured'],
  [
    { start: 'sent in part', command: 'refund', when: 'before its answer' },
    'reserved',
    'captured',
    'refunded',
  ],
  [{ start: 'refunded in part', command: 'refund', when: 'before its request' }, 'captured', 'refunded'],
  [{ start: 'declined', command: 'pay', when: 'before its answer' }, 'reserved'],
  [{ start: 'declined', command: 'pay', when: 'before its answer', card: ASKING }, 'asking'],
  [{ start: 'lapsed', command: 'pay', when: 'before its answer' }, 'reserved'],
  [{ start: 'lapsed', command: 'pay', when: 'before its answer', card: ASKING }, 'asking'],
];

/** A part of any amount here, in minor units. */
const PART = 100;

/** What customers, people in the Dashboard, banks and time do, and what has to be true for it. */
const HAPPENINGS: readonly {
  name: string;
  needs: Fact;
  happen(fake: FakeStripe, intent: FakeIntent): unknown;
}[] = [
  {
    name: 'the customer authorises',
    needs: 'asking',
    happen: (fake, { id }) => fake.elsewhere.answer(id, 'authorise'),
  },
  {
    name: 'the customer fails',
    needs: 'asking',
    happen: (fake, { id }) => fake.elsewhere.answer(id, 'fail'),
  },
  { name: 'it is cancelled', needs: 'asking', happen: (fake, { id }) => fake.elsewhere.cancel(id) },
  { name: 'it is captured', needs: 'reserved', happen: (fake, { id }) => fake.elsewhere.capture(id) },
  {
    name: 'a part is captured',
    needs: 'reserved',
    happen: (fake, { id }) => fake.elsewhere.capture(id, PART),
  },
  { name: 'it lapses', needs: 'reserved', happen: (fake, { id }) => fake.elsewhere.expire(id) },
  { name: 'it is given up', needs: 'reserved', happen: (fake, { id }) => fake.elsewhere.cancel(id) },
  { name: 'it is refunded', needs: 'captured', happen: (fake, { id }) => fake.elsewhere.refund(id) },
  {
    name: 'a part is refunded',
    needs: 'captured',
    happen: (fake, { id }) => fake.elsewhere.refund(id, PART),
  },
  { name: 'it is disputed', needs: 'captured', happen: (fake, { id }) => fake.elsewhere.dispute(id) },
  {
    name: 'a refund fails',
    needs: 'refunded',
    happen: (fake, { id }) => fake.elsewhere.endRefund(refundOf(fake, id), 'failed'),
  },
  {
    name: 'a dispute is won',
    needs: 'disputed',
    happen: (fake, { id }) => fake.elsewhere.closeDispute(disputeOf(fake, id), 'won'),
  },
  {
    name: 'a dispute is lost',
    needs: 'disputed',
    happen: (fake, { id }) => fake.elsewhere.closeDispute(disputeOf(fake, id), 'lost'),
  },
];

const refundOf = ({ refunds }: FakeStripe, id: string) =>
  refunds.find(({ payment_intent }) => payment_intent === id)!.id;
const disputeOf = ({ disputes }: FakeStripe, id: string) =>
  disputes.find(({ payment_intent }) => payment_intent === id)!.id;

/** Something that happens at Stripe in the midst of a command. */
export interface EventCase extends Moment {
  title: string;
  happen(fake: FakeStripe, intent: FakeIntent): unknown;
}

/** Everything that can happen at each moment. */
export const EVENT_CASES: readonly EventCase[] = MOMENTS.flatMap(([moment, ...facts]) =>
  HAPPENINGS.filter(({ needs }) => facts.includes(needs)).map(({ name, happen }) => {
    const { start, command, when, card } = moment;
    const asking = card ? ' with a card whose bank asks' : '';
    return { ...moment, happen, title: `${name}: ${command} of an order that is ${start}${asking}, ${when}` };
  }),
);
