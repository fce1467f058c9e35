// Keys. Those of letters say what their buttons say.
import { latin } from "./talk.js";

const CLOSER = 1.5; // by one press
const STEP = 0.2; // of what is seen
const PANS = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] };

export const keys = {
  pressKey(event) {
    const field = event.target.closest?.("input, textarea, select");
    if (field || event.metaKey || event.altKey || this.failure) return;
    const key = latin(event);
    if (event.key === "?") return this.take(event, () => this.toggle("help"));
    if (event.key === "Escape") return this.escape(event);
    if (!this.chosen && this.entries.length) return;
    if ([" ", "Enter"].includes(event.key) && event.target.closest?.("button")) return;
    if (this.look?.placing && event.key.startsWith("Arrow")) return this.take(event, () => this.nudge(event));
    if (event.ctrlKey) return;
    if (event.shiftKey && PANS[event.key] && this.view.by > 1) return this.take(event, () => this.pan(...PANS[event.key]));
    if (["Tab", "ArrowUp", "ArrowDown"].includes(event.key)) return this.stepBox(event);
    if (event.repeat) return event.key === " " && event.preventDefault();
    const does = this.doing(event, key);
    if (does) this.take(event, does);
  },

  doing(event, key) {
    const any = {
      " ": () => this.save("reviewed"), u: this.undo, l: () => this.toggle("classes"),
      f: () => (event.shiftKey ? this.dropFilters() : this.toggle("filters")), h: () => this.toggle("past"),
      arrowleft: () => this.go(-1), arrowright: () => this.go(1),
    };
    if (any[key]) return any[key];
    if (!this.look || this.finished || this.saving) return null;
    if (this.broken) return key === "s" ? () => this.save("skipped") : null;
    if (/^[1-9]$/.test(key)) return this.sought[key - 1] ? () => this.relabel(this.sought[key - 1]) : null;
    return this.ofPicture(event)[key];
  },

  ofPicture(event) {
    const closer = () => this.zoom(CLOSER);
    const back = () => this.zoom(1 / CLOSER);
    return {
      a: () => this.judge("accepted"), r: () => this.judge("rejected"), delete: () => this.judge("rejected"),
      m: this.draw, e: this.edit, c: this.startNaming, w: () => this.offerWeak(event.shiftKey), z: this.toggleClose,
      "+": closer, "=": closer, "-": back, _: back, 0: this.fit, t: this.showTheirs,
      d: () => (event.shiftKey ? this.save("difficult") : this.difficult()),
      s: () => this.save("skipped"), enter: () => this.look.placing && this.set(),
    };
  },

  take(event, does) {
    event.preventDefault();
    does();
  },

  // Tab goes through the boxes while the picture has the focus, and on to what is on the page after the last.
  stepBox(event) {
    if (!this.look || this.finished || this.broken) return;
    const tab = event.key === "Tab";
    if (tab && document.activeElement !== this.$refs.stage) return;
    const moved = this.look.step(this.sought, event.key === "ArrowUp" || event.shiftKey ? -1 : 1);
    if (moved || !tab) event.preventDefault();
  },

  escape(event) {
    if (this.look?.placing) this.take(event, this.giveUp);
    else if (this.panel) this.take(event, () => this.toggle(this.panel));
    else this.focusStage();
  },
};
