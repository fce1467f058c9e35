// Lines over time: drawn as SVG, read by pointer or by arrow keys.
//
// <vd-chart label="Age" unit="ms" :from="…" :to="…" :series="[{ name, tone, points: [[at, value], …] }]" :height="140"/>
// at: Unix seconds. A value of null is a hole in the line. tone: one … eight. `floor`: the axis goes up to it at least.
import { clock } from "./format.js";
import { moments, ticks } from "./axis.js";

const LEFT = 46, RIGHT = 8, TOP = 8, BOTTOM = 20;

export const Chart = {
  props: { series: Array, from: Number, to: Number, label: String, unit: { type: String, default: "" }, height: { type: Number, default: 140 }, floor: { type: Number, default: 0 }, digits: { type: Number, default: 0 } },
  template: `
<div class="vd-chart" ref="figure" tabindex="0" role="group" :aria-label="label + '. ' + spoken" @pointermove="point" @pointerleave="at = null" @keydown="press" @blur="at = null">
  <svg :viewBox="'0 0 ' + width + ' ' + height" :height="height" aria-hidden="true">
    <g class="vd-lines"><template v-for="tick in levels" :key="tick"><line :x1="left" :x2="width - right" :y1="y(tick)" :y2="y(tick)"/><text :x="left - 6" :y="y(tick) + 4" text-anchor="end">{{ short(tick) }}</text></template></g>
    <g class="vd-lines"><text v-for="each in hours" :key="each.at" :x="x(each.at)" :y="height - 5" text-anchor="middle">{{ each.text }}</text></g>
    <path v-for="line in series" :key="line.name" class="vd-line" :style="{ stroke: 'var(--' + line.tone + ')' }" :d="path(line.points)"/>
    <g v-if="nearest"><line class="vd-cursor-line" :x1="x(nearest.at)" :x2="x(nearest.at)" y1="8" :y2="height - bottom"/><circle v-for="each in nearest.values" :key="each.name" :cx="x(nearest.at)" :cy="y(each.value)" r="3.5" :style="{ fill: 'var(--' + each.tone + ')' }"/></g>
  </svg>
  <p class="vd-legend"><span v-for="line in legend" :key="line.name"><i :style="{ background: 'var(--' + line.tone + ')' }"></i>{{ line.name }} <b>{{ line.value }}</b></span><span class="vd-dim">{{ nearest ? when(nearest.at) : "" }}</span></p>
</div>`,
  data: () => ({ width: 480, at: null, left: LEFT, right: RIGHT, bottom: BOTTOM }),
  computed: {
    most() {
      let most = this.floor;
      for (const { points } of this.series) for (const [at, value] of points) if (at >= this.from && value > most) most = value;
      return most;
    },
    levels() { return ticks(this.most, 3); },
    hours() { return moments(this.from, this.to, Math.max(2, Math.floor(this.width / 90))).filter(({ at }) => this.x(at) < this.width - 18); },
    moments() { return this.series.reduce((longest, { points }) => (points.length > longest.length ? points : longest), []).map(([at]) => at); },
    nearest() {
      if (this.at === null || !this.moments.length) return null;
      const at = this.moments.reduce((best, each) => (Math.abs(each - this.at) < Math.abs(best - this.at) ? each : best));
      return { at, values: this.valuesAt(at) };
    },
    legend() {
      const values = this.nearest?.values ?? this.valuesAt(this.moments.at(-1));
      return this.series.map((line) => ({ ...line, value: this.said(values.find((each) => each.name === line.name)?.value) }));
    },
    spoken() { return this.legend.map(({ name, value }) => `${name} ${value}`).join(", ") + (this.nearest ? ` at ${this.when(this.nearest.at)}` : ""); },
  },
  mounted() {
    this.sizes = new ResizeObserver(([entry]) => (this.width = Math.max(200, entry.contentRect.width)));
    this.sizes.observe(this.$refs.figure);
  },
  unmounted() { this.sizes.disconnect(); },
  methods: {
    when: (at) => clock(at),
    x(at) { return LEFT + ((at - this.from) / (this.to - this.from || 1)) * (this.width - LEFT - RIGHT); },
    y(value) { return this.height - BOTTOM - (value / (this.levels.at(-1) || 1)) * (this.height - TOP - BOTTOM); },
    short: (value) => (value >= 10_000 ? `${value / 1000}k` : String(value)),
    said(value) { return value === null || value === undefined ? "–" : `${value.toFixed(value < 10 ? Math.max(1, this.digits) : this.digits)}${this.unit && ` ${this.unit}`}`; },
    valuesAt(at) {
      return this.series.flatMap(({ name, tone, points }) => {
        const value = points.find((point) => point[0] === at)?.[1];
        return value === null || value === undefined ? [] : [{ name, tone, value }];
      });
    },
    path(points) {
      let drawn = "", down = false;
      for (const [at, value] of points) {
        if (at < this.from) continue;
        if (value === null) { down = false; continue; }
        drawn += `${down ? "L" : "M"}${this.x(at).toFixed(1)} ${this.y(value).toFixed(1)}`;
        down = true;
      }
      return drawn;
    },
    point(event) {
      const place = this.$refs.figure.getBoundingClientRect();
      this.at = this.from + ((event.clientX - place.left - LEFT) / (place.width - LEFT - RIGHT)) * (this.to - this.from);
    },
    press(event) {
      const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!by || !this.moments.length) return;
      const index = this.nearest ? this.moments.indexOf(this.nearest.at) + by : this.moments.length - 1;
      this.at = this.moments[Math.max(0, Math.min(this.moments.length - 1, index))];
      event.preventDefault();
    },
  },
};
