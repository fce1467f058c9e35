// Keys that hold on the whole page: registered by whoever is shown, and gone with it.

const AFTER_G_MS = 1500;
const held = []; // the newest first: a dialog before the page below it

export const typing = (target) => target instanceof Element && !!target.closest("input, textarea, select, [contenteditable='']");

// keys: { "?": { says: "help", does: (event) => … }, "g f": … }. What does nothing is only told: some part of the page
// listens to it itself. Returns how to take them away.
export function onKeys(keys, title = "") {
  const entry = { keys, title };
  held.unshift(entry);
  return () => held.splice(held.indexOf(entry), 1);
}

// What the help shows: [{ title, keys: [[key, says], …] }].
export const allKeys = () => [...held].reverse().map(({ title, keys }) => ({
  title, keys: Object.entries(keys).filter(([, each]) => each.says).map(([key, each]) => [key, each.says]),
})).filter((group) => group.keys.length);

const begins = (letter) => held.some(({ keys }) => Object.entries(keys).some(([key, each]) => each.does && key.startsWith(`${letter} `)));

let first = null, firstAt = 0;

function pressed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (typing(event.target) || document.querySelector("dialog[open]")) { first = null; return; }
  const after = first && event.timeStamp - firstAt < AFTER_G_MS ? first : null;
  first = null;
  const name = after ? `${after} ${event.key}` : event.key;
  const found = held.find((entry) => entry.keys[name]?.does)?.keys[name];
  if (found) found.does(event);
  else if (!after && begins(event.key)) {
    first = event.key;
    firstAt = event.timeStamp;
  } else if (!after) return;
  // After `g` a letter is nobody else's.
  event.preventDefault();
  event.stopImmediatePropagation();
}

window.addEventListener("keydown", pressed, { capture: true });
