// What is asked of the node, and what the browser remembers.

const PATIENCE_MS = 20_000; // the store waits five seconds for another program that writes

let csrf = null; // inside of the dashboard, where people log in: what shows that a page of its own asks

export async function ask(url, body) {
  let answer;
  try {
    answer = await send(url, body);
    if (answer.status === 403 && body && (await renewed())) answer = await send(url, body);
  } catch (error) {
    throw new Error(error.name === "TimeoutError" ? "no answer for 20 seconds" : "Vedette does not answer");
  }
  let said = null;
  try {
    said = await answer.json();
  } catch {
    // an error without words
  }
  if (!answer.ok || said === null) throw new Error(said?.error ?? said?.detail ?? `unexpected answer (${answer.status}); reload the page`);
  return said;
}

function send(url, body) {
  return fetch(url, {
    signal: AbortSignal.timeout(PATIENCE_MS),
    ...(body && {
      method: "POST",
      headers: { "Content-Type": "application/json", ...(csrf && { "X-Vedette-CSRF": csrf }) },
      body: JSON.stringify(body),
    }),
  });
}

// Asked for only where it was missed: alone, the page has no sessions.
async function renewed() {
  const answer = await fetch("/api/v1/session", { signal: AbortSignal.timeout(PATIENCE_MS) });
  const said = answer.ok ? await answer.json().catch(() => null) : null;
  if (!said?.csrf || said.csrf === csrf) return false;
  csrf = said.csrf;
  return true;
}

// Each tab has a name, which lives as long as the tab, so that a reload gets the same frames. A tab that was
// duplicated has its twin's name in its storage: whoever holds the lock of a name owns it.
export async function tabName() {
  const known = sessionStorage.getItem("vedette-tab");
  if (known && (await mine(known))) return known;
  const name = Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("");
  await mine(name);
  sessionStorage.setItem("vedette-tab", name);
  return name;
}

function mine(name) {
  if (!navigator.locks) return Promise.resolve(true); // only where the page is not served securely
  return new Promise((tell) => {
    navigator.locks.request(`vedette-tab-${name}`, { ifAvailable: true }, (lock) => {
      tell(lock !== null);
      return lock && new Promise(() => {}); // as long as the page is there
    });
  });
}

export const remembered = {
  get(name) {
    try {
      return JSON.parse(localStorage.getItem(`vedette-${name}`));
    } catch {
      return null;
    }
  },
  set(name, value) {
    try {
      localStorage.setItem(`vedette-${name}`, JSON.stringify(value));
    } catch {
      // private windows may refuse; it is asked again next time
    }
  },
};

export const drafts = {
  get: (item) => sessionStorage.getItem(`vedette-draft-${item}`),
  set(item, draft) {
    try {
      sessionStorage.setItem(`vedette-draft-${item}`, draft);
    } catch {
      // full: only a reload would lose it
    }
  },
  drop: (item) => sessionStorage.removeItem(`vedette-draft-${item}`),
};
