// Classes: what one looks for, and what a box is.
import { remembered } from "./talk.js";

export const classes = {
  async toggleClass(label) {
    const has = this.sought.includes(label);
    const changed = (list) => (has ? list.filter((each) => each !== label) : [...new Set([...list, label])]);
    // A picture that was saved has its own: those that were looked for then.
    if (this.look?.sought) this.look.sought = changed(this.look.sought);
    this.classes = changed(this.classes);
  },

  closeClasses() {
    if (!this.sought.length) return;
    this.panel = "";
    this.chosen = true;
    remembered.set(`classes:${this.key}`, this.classes);
    if (this.look && !this.finished && !this.focused) {
      this.look.focus = null;
      this.look.onward(this.sought);
    }
    this.focusStage();
    this.tellProgress();
  },

  async startNaming() {
    if (!this.focused) return this.say("Choose a box first.");
    Object.assign(this, { naming: true, typed: "" });
    await this.$nextTick();
    this.$refs.naming?.focus();
  },

  takeName(label) {
    const chosen = typeof label === "string" ? label : this.matches[0];
    if (!chosen) return;
    this.relabel(chosen);
    this.stopNaming();
  },

  stopNaming() {
    this.naming = false;
    this.focusStage();
  },

  rememberReviewer() { remembered.set("reviewer", this.reviewer); },
};
