// What the page says.

export const WORDS = {
  undecided: "undecided", accepted: "accepted", rejected: "rejected", corrected: "corrected",
  missed: "missed", offered: "weak, offered",
};
export const SIGNS = { undecided: "", accepted: "✓", rejected: "✗", corrected: "✎", missed: "+", offered: "" };

export const HELP = [
  ["A", "accept the box, and go on to the next"],
  ["R", "reject it; an object you drew is removed"],
  ["Tab ↑ ↓", "choose a box"],
  ["M", "an object the model missed: drag it, or move the box by arrows"],
  ["E", "correct the box by arrows; or drag it, or its corners"],
  ["← → ↑ ↓", "while a box is being set: move it; with Shift its size, with Ctrl by one pixel"],
  ["Enter", "the box is set; Esc gives it up"],
  ["1 … 9", "the class of the box"],
  ["C", "the class, by its name"],
  ["D", "the box is difficult: found or not, nobody is to blame"],
  ["Shift D", "the whole picture is too difficult; saves, and goes on"],
  ["Z", "closer to the box, and back"],
  ["+ − 0", "closer, further away, the whole picture; the wheel does it as well"],
  ["Shift ← → ↑ ↓", "another part of the picture, while it is not seen whole; or drag it beside the boxes"],
  ["W", "show weak boxes that are likely (20% and more), too; once more: all of them; once more: none"],
  ["Shift W", "all weak boxes at once, or none"],
  ["Space", "save, and go on. Boxes you said nothing of are accepted first, for you to see; Space once more saves"],
  ["S", "skip: saved as not looked at"],
  ["← →", "the picture before, however long ago it was saved; the next one. Nothing is saved by that"],
  ["H", "what was saved, to be looked at again and corrected"],
  ["T", "what somebody else has said of this picture meanwhile"],
  ["F", "only some frames: by camera, class, reason, model"],
  ["Shift F", "all frames again"],
  ["U", "undo; at the end of that, take back what was saved last"],
  ["L", "the classes you look for"],
  ["?", "this help"],
];
