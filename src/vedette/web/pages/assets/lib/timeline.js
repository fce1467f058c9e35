// Several things that lasted, below each other on one axis of time.
//
// <vd-timeline label="Timeline" :from :to :lanes="[{ name, base, bars: [{ start, end, tone, says }] }]" @zoom="[from, to]"/>
// Times in Unix seconds; `end` null: it lasts. A bar without length is a mark. `says`: what is told of it, by pointer,
// and by the arrow keys, which go from one to the next. tone: of the theme (blind, weak, rest, one … eight).
import { clock, duration } from "./format.js";
import { moments } from "./axis.js";


export const Timeline = {
  props: { lanes: Array, from: Number, to: Number, label: String },
  emits: ["zoom"],
  template: `
<div class="vd-timeline" ref="root" tabindex="0" role="group" :aria-label="label + ': ' + (bars.length ? bars.length + ' entries; arrow keys go from one to the next' : 'nothing to tell')" @keydown="press" @blur="index = null">
  <div v-for="lane in lanes" :key="lane.name" class="vd-lane">
    <span class="vd-lane-name">{{ lane.name }}</span>
    <div class="vd-lane-line" :style="{ background: lane.base ? 'var(--' + lane.base + ')' : null }">
      <i v-for="bar in within(lane.bars)" :key="bar.key ?? bar.start + bar.tone" class="vd-bar" :class="{ 'vd-mark': bar.end === bar.start, 'vd-chosen': bar === chosen }" :style="place(bar)" @pointerenter="hovered = bar" @pointerleave="hovered = null" @click="index = bars.indexOf(bar)"></i>
    </div>
  </div>
  <div class="vd-lane vd-lane-axis" aria-hidden="true"><span class="vd-lane-name"></span><div><span v-for="each in hours" :key="each.at" :style="{ left: share(each.at) }">{{ each.text }}</span></div></div>
  <p class="vd-timeline-says" aria-live="polite">{{ words }}</p>
</div>`,
  data: () => ({ width: 800, hovered: null, index: null }),
  computed: {
    bars() { return this.lanes.flatMap((lane) => this.within(lane.bars)).sort((one, other) => one.start - other.start); },
    chosen() { return this.hovered ?? (this.index === null ? null : this.bars[this.index] ?? null); },
    hours() { return moments(this.from, this.to, Math.max(2, Math.floor(this.width / 110))); },
    words() {
      const bar = this.chosen;
      if (!bar) return "";
      if (bar.end === bar.start) return `${clock(bar.start)}: ${bar.says}`;
      const until = bar.end === null ? "now" : clock(bar.end);
      return `${clock(bar.start)} to ${until} (${duration((bar.end ?? this.to) - bar.start)}): ${bar.says}`;
    },
  },
  mounted() {
    this.sizes = new ResizeObserver(([entry]) => (this.width = entry.contentRect.width));
    this.sizes.observe(this.$refs.root);
  },
  unmounted() { this.sizes.disconnect(); },
  methods: {
    within(bars) { return bars.filter((bar) => bar.start <= this.to && (bar.end ?? this.to) >= this.from); },
    part(at) { return (Math.max(this.from, Math.min(this.to, at)) - this.from) / (this.to - this.from || 1); },
    share(at) { return `${(100 * this.part(at)).toFixed(3)}%`; },
    place(bar) {
      const left = this.part(bar.start), right = this.part(bar.end ?? this.to);
      return { left: `${100 * left}%`, width: bar.end === bar.start ? null : `max(3px, ${100 * (right - left)}%)`, "--tone": `var(--${bar.tone})` };
    },
    press(event) {
      const last = this.bars.length - 1;
      const to = { ArrowRight: (this.index ?? -1) + 1, ArrowLeft: (this.index ?? last + 1) - 1, Home: 0, End: last }[event.key];
      if (event.key === "+" || event.key === "-") this.zoom(event.key === "+" ? 0.5 : 2);
      else if (to !== undefined && last >= 0) this.index = Math.max(0, Math.min(last, to));
      else return;
      event.preventDefault();
    },
    // Around what is chosen, else towards now.
    zoom(by) {
      const middle = this.chosen ? (this.chosen.start + (this.chosen.end ?? this.to)) / 2 : this.to;
      const length = (this.to - this.from) * by;
      const to = Math.min(this.to + (by > 1 ? length : 0), middle + length / 2);
      this.$emit("zoom", [to - length, to]);
    },
  },
};
