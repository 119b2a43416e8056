/** Why a payment is declined whose bank wants the customer to confirm it, who is not there. */
export const CUSTOMER_ABSENT =
  'The bank wants the customer to confirm the payment, and the customer is not there to do so ' +
  '(authentication_required): let the customer place the order, or use another payment method.';
