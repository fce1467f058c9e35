// Numbers and times as people read them. Nothing here is HTML: it is put into text.

export const DASH = "–";
const known = (value) => value !== null && value !== undefined && !Number.isNaN(value);

export const plain = (words) => (words ?? "").replaceAll("_", " ");

export const count = (value) => (known(value) ? Math.round(value).toLocaleString("en") : DASH);

export const plural = (many, one, more = `${one}s`) => `${count(many)} ${many === 1 ? one : more}`;

export const rate = (value) => (known(value) ? (value < 99.95 ? value.toFixed(1) : value.toFixed(0)) : DASH);

export const percent = (share, digits = 0) => (known(share) ? `${(100 * share).toFixed(digits)}%` : DASH);

// Of coverage: 99.97 must not become 100.
export function coverage(share) {
  if (!known(share)) return DASH;
  if (share >= 1) return "100%";
  return `${Math.min(99.99, 100 * share).toFixed(share > 0.999 ? 2 : 1)}%`;
}

export function milliseconds(value) {
  if (!known(value)) return DASH;
  if (value < 9.95) return `${value.toFixed(1)} ms`;
  return value < 9_995 ? `${value.toFixed(0)} ms` : duration(value / 1000);
}

// 8 s, 12 min, 3 h 5 min, 2 d 4 h: two units at most.
export function duration(seconds) {
  if (!known(seconds)) return DASH;
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return whole < 600 && whole % 60 ? `${Math.floor(whole / 60)} min ${whole % 60} s` : `${Math.floor(whole / 60)} min`;
  const hours = Math.floor(whole / 3600), minutes = Math.floor((whole % 3600) / 60);
  if (hours < 24) return minutes ? `${hours} h ${minutes} min` : `${hours} h`;
  const days = Math.floor(hours / 24);
  return hours % 24 ? `${days} d ${hours % 24} h` : `${days} d`;
}

// The same in one unit, for cells.
export function brief(seconds) {
  if (!known(seconds)) return DASH;
  const whole = Math.max(0, seconds);
  for (const [unit, size] of [["d", 86400], ["h", 3600], ["min", 60]])
    if (whole >= size) return `${Math.floor(whole / size)} ${unit}`;
  return `${Math.floor(whole)} s`;
}

export const ago = (at, now) => (known(at) ? `${duration(now - at)} ago` : DASH);

// 14:03:22 today, else with the date and to the minute.
export function clock(at, now = Date.now() / 1000, seconds = true) {
  if (!known(at)) return DASH;
  const when = new Date(at * 1000), today = new Date(now * 1000);
  const isToday = when.toDateString() === today.toDateString();
  const time = when.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", ...(seconds && isToday && { second: "2-digit" }), hour12: false });
  return isToday ? time : `${day(at)}, ${time}`;
}

export const day = (at) => new Date(at * 1000).toLocaleDateString([], { day: "numeric", month: "short" });
export const exact = (at) => (known(at) ? new Date(at * 1000).toLocaleString([], { dateStyle: "medium", timeStyle: "medium", hour12: false }) : DASH);

export function bytes(many) {
  if (!known(many)) return DASH;
  for (const [unit, size] of [["GB", 1e9], ["MB", 1e6], ["kB", 1e3]])
    if (many >= size) return `${(many / size).toFixed(many >= 10 * size ? 0 : 1)} ${unit}`;
  return `${many} B`;
}

export const list = (words) => (words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`);
