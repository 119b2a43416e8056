/** Signing in, with a code of the authenticator app where the user has one. */
import { Problem } from './api.js';
import { find } from './dom.js';

/**
 * @param {import('./api.js').Api} api
 * @param {() => void} onSignedIn
 */
export function createSignIn(api, onSignedIn) {
  const form = find('#sign-in form', HTMLFormElement);
  const email = find('#email', HTMLInputElement);
  const password = find('#password', HTMLInputElement);
  const code = find('#code', HTMLInputElement);
  const message = find('#sign-in-problem', HTMLElement);
  const button = find('#sign-in button[type="submit"]', HTMLButtonElement);
  /** @type {string | null} */
  let challenge = null;

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (button.getAttribute('aria-busy') !== 'true') void attempt();
  });
  find('#other-user', HTMLButtonElement).addEventListener('click', () => {
    ask(null);
    email.focus();
  });

  async function attempt() {
    button.setAttribute('aria-busy', 'true');
    message.textContent = '';
    try {
      if (challenge === null) ask(await api.signIn(email.value.trim(), password.value));
      else await api.showCode(challenge, code.value.trim());
      if (api.session) succeed();
    } catch (error) {
      fail(error);
    } finally {
      button.setAttribute('aria-busy', 'false');
    }
  }

  /** @param {string | null} next */
  function ask(next) {
    challenge = next;
    form.classList.toggle('with-code', next !== null);
    code.required = next !== null;
    email.readOnly = password.readOnly = next !== null;
    code.value = '';
    message.textContent = '';
    if (next !== null) code.focus();
  }

  function succeed() {
    form.reset();
    ask(null);
    onSignedIn();
  }

  /** @param {unknown} error */
  function fail(error) {
    if (!(error instanceof Error)) throw error;
    message.textContent = messageFor(error);
    // A challenge that has expired is asked for with the password again.
    if (error instanceof Problem && error.status === 401 && /challenge/i.test(error.message))
      challenge = null;
    (challenge === null ? password : code).select();
  }

  /** @param {string} text why the user has to sign in again */
  return function askToSignIn(text = '') {
    ask(null);
    message.textContent = text;
    (email.value ? password : email).focus();
  };
}

/** @param {Error} error */
function messageFor(error) {
  if (!(error instanceof Problem)) return error.message;
  return error.errors.length > 0 ? error.errors.map(({ message }) => message).join('. ') : error.message;
}
