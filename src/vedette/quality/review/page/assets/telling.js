// How boxes are told.
import { SIGNS, WORDS } from "./words.js";

export const telling = {
  verdict(box) { return this.look.verdict(box); },
  words(box) { return WORDS[this.verdict(box)] + (box.difficult ? ", difficult" : ""); },
  day(seconds) { return new Date(seconds * 1000).toLocaleString([], { dateStyle: "medium", timeStyle: "medium" }); },
  percent(share) { return `${Math.round(share * 100)}%`; },
  tag(box) {
    const sign = SIGNS[this.verdict(box)];
    return [sign, box.label, box.score === null ? "" : this.percent(box.score), box.difficult ? "(difficult)" : ""].filter(Boolean).join(" ");
  },
  place(box) {
    const { width, height } = this.look.task;
    const [left, top, right, bottom] = box.xyxy;
    const inside = top / height < 0.05;
    const x = Math.min(Math.max(0, left), width);
    const y = Math.max(0, inside ? Math.max(0, top) : top);
    // Close to the right edge the tag ends where the box does.
    return right / width > 0.8 && left / width > 0.7
      ? { right: `${Math.max(0, 100 - (right / width) * 100)}%`, top: `${(y / height) * 100}%`, transform: inside ? "none" : "translateY(-100%)" }
      : { left: `${(x / width) * 100}%`, top: `${(y / height) * 100}%`, transform: inside ? "none" : "translateY(-100%)" };
  },
  cornerPlace(corner) {
    const { width, height } = this.look.task;
    return { left: `${(this.focused.xyxy[corner.x] / width) * 100}%`, top: `${(this.focused.xyxy[corner.y] / height) * 100}%` };
  },
};
