// A figure and the interval it lies in, as a bar beside its number; and the floor it must not fall below.
//
// <acc-interval :value :lower :upper :floor :lost/>: shares, 0…1; null where there is nothing to say.
import { DASH } from "vedette-pages";

const said = (share) => (share === null || share === undefined ? DASH : (100 * share).toFixed(1));

export const Interval = {
  props: { value: Number, lower: Number, upper: Number, floor: Number, lost: Boolean },
  template: `
<span class="acc-interval" :class="{ 'acc-lost': lost }"><span class="acc-track" aria-hidden="true"><i v-if="known" class="acc-range" :style="{ left: at(lower), width: wide }"></i><i v-if="known" class="acc-value" :style="{ left: at(value) }"></i><i v-if="floored" class="acc-floor" :style="{ left: at(floor) }"></i></span>
  <span class="acc-number"><b>{{ said(value) }}%</b> <span v-if="ranged" class="vd-dim">{{ said(lower) }} to {{ said(upper) }}</span></span></span>`,
  computed: {
    known() { return this.value !== null && this.value !== undefined; },
    ranged() { return this.lower !== null && this.lower !== undefined && this.upper !== null && this.upper !== undefined; },
    floored() { return this.floor !== null && this.floor !== undefined; },
    wide() { return this.ranged ? `${Math.max(0.5, 100 * (Math.min(1, this.upper) - Math.max(0, this.lower)))}%` : "0"; },
  },
  methods: { said, at: (share) => `${100 * Math.max(0, Math.min(1, share ?? 0))}%` },
};

const POINTS = 100;
const signed = (share) => (share === null || share === undefined ? DASH : `${share < 0 ? "−" : "+"}${Math.abs(POINTS * share).toFixed(1)}`);

// By how much one figure differs from another, and the interval that lies in: a bar beside a line that is "not at all".
//
// <acc-difference :value :lower :upper :most/>: shares, −1…1; most: the one at the edge of the bar.
export const Difference = {
  props: { value: Number, lower: Number, upper: Number, most: { type: Number, default: 0.1 } },
  template: `
<span class="acc-interval acc-difference" :class="{ 'acc-better': sure > 0, 'acc-worse': sure < 0 }"><span class="acc-track" aria-hidden="true"><i class="acc-none"></i><i v-if="ranged" class="acc-range" :style="{ left: at(lower), width: wide }"></i><i class="acc-value" :style="{ left: at(value) }"></i></span>
  <span class="acc-number"><b>{{ signed(value) }}</b> <span v-if="ranged" class="vd-dim">{{ signed(lower) }} to {{ signed(upper) }}</span> <b v-if="sure">{{ sure > 0 ? "surely better" : "surely worse" }}</b></span></span>`,
  computed: {
    ranged() { return this.lower !== null && this.lower !== undefined && this.upper !== null && this.upper !== undefined; },
    // Where no difference at all lies outside of it.
    sure() { return !this.ranged ? 0 : this.lower > 0 ? 1 : this.upper < 0 ? -1 : 0; },
    wide() { return `max(2px, ${this.part(this.upper) - this.part(this.lower)}%)`; },
  },
  methods: {
    signed,
    part(share) { return 50 + 50 * Math.max(-1, Math.min(1, (share ?? 0) / this.most)); },
    at(share) { return `${this.part(share)}%`; },
  },
};
