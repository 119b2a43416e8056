import { formatAmount } from '../../domain/money';
import type { SandboxPayment } from './repository';

/** Where customers answer their banks; the id of the action follows. */
export const PAGE_PATH = '/payments/sandbox/actions';

/** What is shown of a payment that waits for its customer no more, by its status. */
const OUTCOMES: Readonly<Record<Exclude<SandboxPayment['status'], 'action_required'>, string>> = {
  authorized: 'You have authorised this payment.',
  captured: 'You have authorised this payment.',
  declined: 'This payment has failed.',
  voided: 'This payment is no longer needed.',
};
const RETURN = 'You can close this page and return to the shop.';

/** Returns the page where a customer answers the bank. It has no script, and its forms have only buttons. */
export function actionPage(payment: SandboxPayment): string {
  return page(payment.status === 'action_required' ? question(payment) : outcome(payment));
}

function question({ amount, currency, orderId, action }: SandboxPayment): string {
  const { id, nonce, expiresAt } = action!;
  const form = (answer: string, label: string) =>
    `<form method="post" action="${id}?answer=${answer}&amp;nonce=${nonce}"><button>${label}</button></form>`;
  return `<h1>Authorise ${escaped(formatAmount(amount, currency))}?</h1>
      <p>The sandbox stands for your bank, and takes no money. The payment is for the order ${escaped(orderId)}.</p>
      ${form('authorise', 'Authorise')}
      ${form('fail', 'Fail')}
      <p>The bank waits until ${escaped(expiresAt.toISOString())}, and the shop perhaps for a shorter time.</p>`;
}

function outcome({ status, declineReason }: SandboxPayment): string {
  const reason = declineReason === null ? '' : `<p>${escaped(declineReason)}</p>`;
  return `<h1>${OUTCOMES[status as keyof typeof OUTCOMES]}</h1>${reason}<p>${RETURN}</p>`;
}

function page(content: string): string {
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Payment sandbox</title>
    <link rel="icon" href="data:,">
    <style>
      body { font: 1rem/1.5 system-ui, sans-serif; margin: 10vh auto; max-width: 28rem; padding: 0 1rem; }
      form { display: inline-block; margin-right: 0.5rem; }
      button { font: inherit; padding: 0.4rem 1.2rem; }
    </style>
  </head>
  <body>
    <main>
      ${content}
    </main>
  </body>
</html>
`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character]!);
}
