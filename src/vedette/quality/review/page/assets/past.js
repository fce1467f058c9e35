// Back to what was saved, however long ago. A correction is saved as a new revision.
import { ask } from "./talk.js";
import { Look } from "./look.js";

const KNOWN = 400; // ids that are named to the node at a time
const LISTED = 20;

export const past = {
  async askPast(want, before, known = []) {
    const asked = { tab: this.tab, want, before, known, chosen: this.only };
    const { looks } = await ask(`${this.base}/api/history`, asked);
    return looks.map((task) => {
      const look = new Look(task, this.threshold);
      look.adopt(task.said);
      look.old = true;
      return look;
    });
  },

  // The one before the first that this page knows.
  async earlier() {
    const first = this.entries[0];
    const known = this.entries.map((look) => look.task.item).slice(0, KNOWN);
    try {
      const [found] = await this.askPast(1, first?.at ? [first.at, first.task.item] : null, known);
      if (!found) return this.say("This is the first one.");
      await this.insert(found, 0);
    } catch (error) {
      this.say(`The picture before cannot be had: ${error.message}`, true);
    }
  },

  async insert(look, index) {
    this.stopClock();
    this.entries.splice(index, 0, look);
    this.index += 1;
    await this.show(index);
  },

  async openPast() {
    this.looked = [];
    await this.open("past");
    try {
      this.looked = await this.askPast(LISTED, null);
      this.more_looked = this.looked.length === LISTED;
    } catch (error) {
      return this.say(`What was saved cannot be had: ${error.message}`, true);
    }
    if (this.panel === "past") await this.open("past");
  },

  async listMore() {
    const last = this.looked.at(-1);
    const more = await this.askPast(LISTED, [last.at, last.task.item]).catch(() => []);
    this.looked = [...this.looked, ...more];
    this.more_looked = more.length === LISTED;
    await this.$nextTick();
    this.$refs.looked?.children[this.looked.length - more.length]?.querySelector("button").focus();
  },

  stepPast(event, by) {
    const here = event.target.closest("li");
    const next = by > 0 ? here?.nextElementSibling : here?.previousElementSibling;
    next?.querySelector("button").focus();
  },

  // Before the picture that is open now: → goes back to that.
  async goTo(look) {
    this.panel = "";
    const there = this.entries.findIndex((each) => each.state !== null && each.task.item === look.task.item);
    if (there >= 0) await this.show(there);
    else await this.insert(look, this.index);
  },

  summary(look) {
    if (look.state !== "reviewed") return look.state;
    const counts = new Map();
    for (const { label } of look.said(look.sought).boxes) counts.set(label, (counts.get(label) ?? 0) + 1);
    return [...counts].map(([label, count]) => (count > 1 ? `${count} ${label}` : label)).join(", ") || "nothing there";
  },
};
