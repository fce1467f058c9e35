// The mouse: it chooses, moves and draws boxes; beside them it moves the picture.
import { at, between, CORNERS, moved, opposite, tooSmall } from "./shape.js";
import { panned } from "./view.js";

const STARTS_TO_DRAG_PX = 4; // of the screen; less was a click that shook
const CORNER_STARTS_PX = 1; // nobody clicks on a corner but to drag it, and small boxes are off by little

export const pointer = {
  point(event) {
    const frame = this.$refs.canvas.getBoundingClientRect();
    const { width, height } = this.look.task;
    return { x: ((event.clientX - frame.left) / frame.width) * width, y: ((event.clientY - frame.top) / frame.height) * height };
  },

  press(event) {
    if (event.button === 1) return this.grasp(event);
    if (event.button !== 0 || this.broken || this.saving || !this.chosen) return;
    this.focusStage();
    const from = this.point(event);
    const corner = CORNERS.find((each) => each.name === event.target.dataset.corner);
    const box = corner || this.armed ? this.focused : at(this.shown, from);
    if (!this.armed) this.look.focus = box?.key ?? null;
    if (!box) return this.grasp(event);
    const anchor = this.armed ? from : corner && opposite(box.xyxy, corner);
    const slack = corner && !this.armed ? CORNER_STARTS_PX : STARTS_TO_DRAG_PX;
    this.grip = { box, from, anchor, slack, x: event.clientX, y: event.clientY, start: [...box.xyxy], begun: false };
    this.$refs.stage.setPointerCapture(event.pointerId);
    event.preventDefault();
  },

  grasp(event) {
    if (this.view.by === 1) return;
    this.grip = { view: this.view, x: event.clientX, y: event.clientY };
    this.$refs.stage.setPointerCapture(event.pointerId);
    event.preventDefault();
  },

  drag(event) {
    const grip = this.grip;
    if (!grip) return;
    if (grip.view) {
      const frame = this.$refs.stage.getBoundingClientRect();
      this.view = panned(grip.view, (grip.x - event.clientX) / frame.width, (grip.y - event.clientY) / frame.height);
      return;
    }
    if (!grip.begun) {
      if (Math.hypot(event.clientX - grip.x, event.clientY - grip.y) < grip.slack) return;
      grip.begun = true;
      // Setting a box is one step to be taken back, by keys or by hand.
      if (!this.look.placing) this.look.remember();
    }
    const to = this.point(event);
    const box = this.focused;
    if (!box) return;
    const xyxy = grip.anchor
      ? between(grip.anchor, to, this.look.task)
      : moved(grip.start, to.x - grip.from.x, to.y - grip.from.y, this.look.task);
    this.look.reshape(box, xyxy);
  },

  release() {
    const grip = this.grip;
    this.grip = null;
    if (!grip?.begun || !this.focused) return;
    if (tooSmall(this.focused.xyxy)) {
      this.giveUp();
      return this.say("That was too small for a box.");
    }
    this.set();
  },
};
