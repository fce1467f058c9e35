// Cameras × time on a canvas, of which only what is in sight is drawn: a thousand cameras are a thousand lanes.
import { clock, duration, moments, theme } from "vedette-pages";

const LANE = 20, BAR = 12, HIGHEST = 420, AXIS = 22, NEAR = 4;
const TONES = { blind: "--blind", degraded: "--weak", event: "--three" };

export const Plot = {
  props: { lanes: Array, from: Number, to: Number },
  emits: ["pick"],
  template: `
<div class="gap-plot">
  <p class="gap-key vd-small vd-dim" aria-hidden="true"><span><i class="gap-blind"></i>not seen</span><span><i class="gap-paused"></i>paused</span><span><i class="gap-degraded"></i>seen badly</span><span><i class="gap-event"></i>event</span></p>
  <div class="gap-canvas" ref="scrolls" tabindex="0" role="application" aria-roledescription="plot" :aria-label="'Gaps of ' + lanes.length + ' cameras over time. Arrow keys go from gap to gap and from camera to camera, Enter looks at one camera alone.'" @scroll="draw" @keydown="press" @pointermove="point" @pointerleave="hovered = null" @click="click" @blur="chosen = null">
    <div class="gap-all" :style="{ height: lanes.length * lane + axis + 'px' }"><canvas ref="canvas"></canvas></div>
  </div>
  <p class="gap-says" aria-live="polite">{{ says }}</p>
</div>`,
  data: () => ({ width: 800, height: 200, hovered: null, chosen: null, lane: LANE, axis: AXIS }),
  setup: () => ({ theme }),
  computed: {
    left() { return this.width < 500 ? 92 : 150; },
    shown() { return this.hovered ?? this.chosen; },
    says() {
      const at = this.shown;
      const gap = at && this.lanes[at.lane]?.gaps[at.gap];
      if (!gap) return at ? this.lanes[at.lane]?.name ?? "" : "";
      const words = gap.detail ? `${gap.words}: ${gap.detail}` : gap.words;
      if (gap.kind === "event") return `${gap.camera}, ${clock(gap.start)}: ${words}`;
      return `${gap.camera}, ${clock(gap.start)} to ${gap.end === null ? "now" : clock(gap.end)} (${duration(gap.seconds)}): ${words}`;
    },
  },
  watch: { lanes() { this.later(); }, from() { this.later(); }, to() { this.later(); }, shown() { this.later(); }, "theme.chosen"() { this.later(); } },
  mounted() {
    this.sizes = new ResizeObserver(() => this.size());
    this.sizes.observe(this.$refs.scrolls);
    this.dark = matchMedia("(prefers-color-scheme: dark)");
    this.dark.addEventListener("change", this.later);
    this.size();
  },
  unmounted() {
    this.sizes.disconnect();
    this.dark.removeEventListener("change", this.later);
    cancelAnimationFrame(this.waits);
  },
  methods: {
    later() { this.waits ??= requestAnimationFrame(() => { this.waits = null; this.draw(); }); },
    size() {
      this.width = this.$refs.scrolls.clientWidth;
      this.height = Math.min(HIGHEST, this.lanes.length * LANE + AXIS);
      this.later();
    },
    x(at) { return this.left + ((Math.max(this.from, Math.min(this.to, at)) - this.from) / (this.to - this.from || 1)) * (this.width - this.left - 4); },
    draw() {
      const canvas = this.$refs.canvas;
      if (!canvas) return;
      this.height = Math.min(HIGHEST, this.lanes.length * LANE + AXIS);
      const ratio = window.devicePixelRatio || 1;
      Object.assign(canvas, { width: this.width * ratio, height: this.height * ratio });
      Object.assign(canvas.style, { width: `${this.width}px`, height: `${this.height}px` });
      const pen = canvas.getContext("2d");
      pen.scale(ratio, ratio);
      const style = getComputedStyle(this.$refs.scrolls);
      const ink = (name) => resolved(this.$refs.scrolls, name);
      pen.font = `12px ${style.fontFamily}`;
      this.drawLanes(pen, ink);
      this.drawAxis(pen, ink);
    },
    drawLanes(pen, ink) {
      const tones = Object.fromEntries(Object.entries(TONES).map(([kind, name]) => [kind, ink(name)]));
      const text = ink("--text"), none = ink("--none"), rest = ink("--rest"), main = ink("--main");
      const top = this.$refs.scrolls.scrollTop;
      const first = Math.floor(top / LANE), last = Math.min(this.lanes.length, Math.ceil((top + this.height - AXIS) / LANE));
      for (let index = first; index < last; index++) {
        const lane = this.lanes[index], y = index * LANE - top;
        pen.fillStyle = this.shown?.lane === index ? main : text;
        pen.textBaseline = "middle";
        pen.fillText(shortened(pen, lane.name, this.left - 10), 0, y + LANE / 2);
        pen.fillStyle = none;
        pen.fillRect(this.left, y + (LANE - BAR) / 2, this.width - this.left - 4, BAR);
        for (const gap of lane.gaps) {
          const left = this.x(gap.start), right = this.x(gap.end ?? this.to);
          pen.fillStyle = gap.cause === "paused" ? rest : tones[gap.kind];
          pen.fillRect(left, y + (LANE - BAR) / 2, Math.max(gap.kind === "event" ? 2 : 1.5, right - left), BAR);
        }
        const gap = this.shown?.lane === index && lane.gaps[this.shown.gap];
        if (!gap) continue;
        pen.strokeStyle = text;
        pen.lineWidth = 2;
        pen.strokeRect(this.x(gap.start) - 1, y + (LANE - BAR) / 2 - 2, Math.max(4, this.x(gap.end ?? this.to) - this.x(gap.start) + 2), BAR + 4);
      }
    },
    drawAxis(pen, ink) {
      pen.fillStyle = ink("--paper");
      pen.fillRect(0, this.height - AXIS, this.width, AXIS);
      pen.fillStyle = ink("--dim");
      pen.textAlign = "center";
      pen.textBaseline = "alphabetic";
      for (const { at, text } of moments(this.from, this.to, Math.max(2, Math.floor((this.width - this.left) / 110)))) {
        const half = pen.measureText(text).width / 2;
        const x = this.x(at);
        if (x + half < this.width && x - half > this.left - 20) pen.fillText(text, x, this.height - 6);
      }
    },
    at(event) {
      const place = this.$refs.canvas.getBoundingClientRect();
      const x = event.clientX - place.left, y = event.clientY - place.top;
      if (y > this.height - AXIS) return null;
      const lane = Math.floor((y + this.$refs.scrolls.scrollTop) / LANE);
      if (!this.lanes[lane]) return null;
      const away = (gap) => Math.max(this.x(gap.start) - x, x - this.x(gap.end ?? this.to), 0);
      let best = -1, least = NEAR;
      this.lanes[lane].gaps.forEach((gap, index) => { if (away(gap) <= least) [best, least] = [index, away(gap)]; });
      return { lane, gap: best };
    },
    point(event) { this.hovered = this.at(event); },
    click(event) {
      const at = this.at(event);
      if (at) this.$emit("pick", this.lanes[at.lane].name);
    },
    press(event) {
      const at = this.chosen;
      const by = { ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1] }[event.key];
      if (event.key === "Enter" && at) this.$emit("pick", this.lanes[at.lane].name);
      else if (by && !at) this.chosen = { lane: 0, gap: by[1] < 0 ? this.lanes[0].gaps.length - 1 : 0 };
      else if (by) {
        const lane = Math.max(0, Math.min(this.lanes.length - 1, at.lane + by[0]));
        const gaps = this.lanes[lane].gaps;
        this.chosen = { lane, gap: Math.max(0, Math.min(gaps.length - 1, by[0] ? nearest(gaps, this.lanes[at.lane].gaps[at.gap]?.start) : at.gap + by[1])) };
      } else return;
      event.preventDefault();
      this.hovered = null;
      this.reveal();
    },
    reveal() {
      const box = this.$refs.scrolls, top = this.chosen.lane * LANE, room = this.height - AXIS;
      if (top < box.scrollTop) box.scrollTop = top;
      else if (top + LANE > box.scrollTop + room) box.scrollTop = top + LANE - room;
    },
  },
};

function nearest(gaps, start) {
  let best = 0;
  gaps.forEach((gap, index) => { if (Math.abs(gap.start - start) < Math.abs(gaps[best].start - start)) best = index; });
  return best;
}

function shortened(pen, name, room) {
  if (pen.measureText(name).width <= room) return name;
  let kept = name;
  while (kept.length > 3 && pen.measureText(`${kept}…`).width > room) kept = kept.slice(0, -1);
  return `${kept}…`;
}

// A canvas knows nothing of light-dark(): an element says which of the two it is.
function resolved(element, name) {
  const probe = element.querySelector(".gap-all");
  probe.style.color = `var(${name})`;
  const found = getComputedStyle(probe).color;
  probe.style.color = "";
  return found;
}
