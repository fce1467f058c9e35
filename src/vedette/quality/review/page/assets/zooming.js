// Closer to the picture, and back: to a box, or to anywhere.
import { closeTo, panned, WHOLE, zoomed } from "./view.js";

const LINE_PX = 16; // of a wheel that counts lines
const SPEED = 0.002; // of a wheel, per pixel

export const zooming = {
  zoom(factor, at) {
    if (!this.look || this.broken || this.finished) return;
    this.close = false;
    this.view = zoomed(this.view, factor, at);
  },

  // In shares of what is seen.
  pan(dx, dy) { this.view = panned(this.view, dx, dy); },

  fit() {
    this.close = false;
    this.view = WHOLE;
  },

  toggleClose() {
    if (!this.close && !this.focused) return this.say("Choose a box first; + and − go closer without one.");
    this.close = !this.close;
    this.view = this.close ? closeTo(this.focused.xyxy, this.look.task) : WHOLE;
  },

  // Not while a box is being changed: the picture would slip away below the hand.
  followBox() {
    if (!this.close) return;
    this.view = this.focused ? closeTo(this.focused.xyxy, this.look.task) : WHOLE;
  },

  // Where there is nothing to go back from, the wheel moves the page.
  wheel(event) {
    const factor = Math.exp(-event.deltaY * (event.deltaMode === 1 ? LINE_PX : 1) * SPEED);
    if (this.broken || (this.view.by === 1 && factor <= 1)) return;
    event.preventDefault();
    const frame = this.$refs.stage.getBoundingClientRect();
    this.zoom(factor, { x: (event.clientX - frame.left) / frame.width, y: (event.clientY - frame.top) / frame.height });
  },
};
