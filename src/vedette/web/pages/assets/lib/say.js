// What became of something, told once: at the foot of the page, and to those who listen to it.
import { reactive } from "vue";

const STAYS_MS = 5000, WRONG_STAYS_MS = 12_000;
let number = 0;
export const said = reactive([]);

export function say(text, { wrong = false } = {}) {
  const each = { number: ++number, text, wrong };
  said.push(each);
  if (said.length > 3) said.shift();
  setTimeout(() => unsay(each.number), wrong ? WRONG_STAYS_MS : STAYS_MS);
}

export function unsay(which) {
  const at = said.findIndex((each) => each.number === which);
  if (at >= 0) said.splice(at, 1);
}

export const Said = {
  template: `<div class="vd-said" role="status" aria-live="polite"><p v-for="each in said" :key="each.number" :class="{ 'vd-wrong': each.wrong }">{{ each.text }}<button type="button" class="vd-icon" aria-label="Close" @click="unsay(each.number)">✕</button></p></div>`,
  setup: () => ({ said, unsay }),
};
