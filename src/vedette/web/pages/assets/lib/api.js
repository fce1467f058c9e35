// Everything that is asked of the API: errors as values, other pages' patience, and polling that rests.
import { reactive } from "vue";

// Below a proxy that serves us under a path of its own, all of our addresses begin with that path.
export const ROOT = new URL(import.meta.url).pathname.split("/_nicegui/")[0];
export const API = `${ROOT}/api/v1`;

const PATIENCE_MS = 20_000;
const BACKS_OFF_TO_MS = 30_000;
const ASKS_AGAIN_MS = 400;
const SILENT = 0;

// Who asks; what they may is said by the node, and only repeated here so that nobody is offered what is refused.
export const session = reactive({ name: null, role: "viewer", csrf: null, by: null, known: false });
const ROLES = ["viewer", "reviewer", "operator", "admin"];
export const may = (role) => ROLES.indexOf(session.role) >= ROLES.indexOf(role);

// What the node said instead of an answer (RFC 9457), or that nobody answered at all (status 0).
export class Problem extends Error {
  constructor(status, said = {}) {
    super(said.detail || said.title || `unexpected answer (${status})`);
    this.status = status;
    this.kind = said.kind ?? said.type?.split("/").at(-1) ?? "";
    this.errors = said.errors ?? []; // [{ at: "body.url", what }]
  }
  get silent() { return this.status === SILENT; }
  get away() { return this.kind === "node-away"; }
}

// GET /cameras?q=gate: ask("/cameras", { query: { q: "gate" } }). POST: { method: "POST", body: {…} }.
export async function ask(path, { method = "GET", query = null, body, signal, patience = PATIENCE_MS } = {}) {
  const answer = await fetched(addressOf(path, query), method, body, signal, patience);
  if (answer.status === 204) return null;
  const said = await answer.json().catch(() => null);
  if (!answer.ok) {
    if (answer.status === 401) logIn();
    throw new Problem(answer.status, said ?? { detail: `unexpected answer (${answer.status})` });
  }
  if (said === null) throw new Problem(answer.status, { detail: "an answer that cannot be read" });
  return said;
}

// The session is over: back here once it is known who asks.
function logIn() {
  session.known = false;
  location.href = `${ROOT}/login?next=${encodeURIComponent(location.pathname.slice(ROOT.length) + location.search)}`;
}

async function fetched(url, method, body, signal, patience) {
  const ends = AbortSignal.timeout(patience);
  const headers = { Accept: "application/json" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (method !== "GET" && session.csrf) headers["X-Vedette-CSRF"] = session.csrf;
  try {
    return await fetch(url, {
      method, headers, body: body === undefined ? undefined : JSON.stringify(body),
      signal: signal ? AbortSignal.any([signal, ends]) : ends,
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    const seconds = Math.round(patience / 1000);
    throw new Problem(SILENT, { detail: ends.aborted ? `no answer for ${seconds} seconds` : "the dashboard does not answer" });
  }
}

// Lists become repeated keys; what is empty is left out.
export function addressOf(path, query) {
  const found = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {}))
    for (const each of Array.isArray(value) ? value : [value])
      if (each !== null && each !== undefined && each !== "") found.append(name, each);
  const words = found.toString();
  return API + path + (words ? `?${words}` : "");
}

// An order may take a while: 202, and an address at which to ask what became of it.
export async function order(path, options) {
  let said = await ask(path, options);
  while (said?.number !== undefined && said.done === false) {
    await new Promise((resolve) => setTimeout(resolve, ASKS_AGAIN_MS));
    said = await ask(`/orders/${said.number}`);
  }
  if (said?.failed) throw new Problem(409, { detail: said.failed });
  if (said?.unkept) throw new Problem(507, { detail: said.unkept });
  return said;
}

export async function learnWhoAsks() {
  const who = await ask("/session");
  Object.assign(session, { name: who.name ?? null, role: who.role ?? "viewer", csrf: who.csrf ?? null, by: who.by ?? null, known: true });
}

// Asks again and again: the next time `every` ms after the last answer. Rests while nobody sees the page, and
// asks ever more seldom while it is refused. `every` may be a function. → { now(), stop() }
export function poll(question, { every, said, refused = () => {} }) {
  let timer = null, asking = null, failures = 0, stopped = false;

  async function turn() {
    clearTimeout(timer);
    if (stopped || document.hidden || asking) return;
    asking = new AbortController();
    const mine = asking;
    try {
      const answer = await question(mine.signal);
      failures = 0;
      if (!stopped && !mine.signal.aborted) said(answer);
    } catch (error) {
      if (!mine.signal.aborted && !stopped) {
        failures += 1;
        if (!(error instanceof Problem)) console.error(error);
        refused(error);
      }
    } finally {
      if (asking === mine) asking = null;
    }
    again();
  }

  function again() {
    clearTimeout(timer);
    const usual = typeof every === "function" ? every() : every;
    const wait = failures ? Math.min(Math.max(usual, 1000) * 2 ** Math.min(failures - 1, 6), BACKS_OFF_TO_MS) : usual;
    if (!stopped && !document.hidden) timer = setTimeout(turn, wait);
  }

  function seen() {
    if (document.hidden) {
      asking?.abort();
      asking = null;
      clearTimeout(timer);
    } else turn();
  }

  document.addEventListener("visibilitychange", seen);
  turn();
  return {
    now: turn,
    stop() {
      stopped = true;
      asking?.abort();
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", seen);
    },
  };
}
