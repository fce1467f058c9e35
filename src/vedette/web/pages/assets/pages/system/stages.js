// What frames take in each stage: lately, or since the node began.
import { milliseconds, percent } from "vedette-pages";

const ENOUGH_S = 10; // before that nothing is known of lately
const WHICH = ["p99", "p95", "p50"];

export const Stages = {
  props: { told: Object },
  template: `
<section class="vd-panel" aria-labelledby="sys-stages"><header><h2 id="sys-stages">Where the time goes</h2><div class="vd-segments" role="group" aria-label="Over which time"><button type="button" :aria-pressed="lately" :disabled="!enough" @click="whole = false">{{ words }}</button><button type="button" :aria-pressed="!lately" @click="whole = true">since the start</button></div></header>
  <div class="vd-scrolls" tabindex="0" role="group" aria-label="Stages"><table class="vd-plain"><thead><tr><th scope="col">Stage</th><th scope="col" class="vd-num">p50</th><th scope="col" class="vd-num">p95</th><th scope="col" class="vd-num">p99</th><th scope="col"><span class="vd-unseen">Beside each other</span></th><th v-if="!lately" scope="col" class="vd-num">Of all</th><th scope="col" class="vd-num">Wait now</th></tr></thead>
  <tbody><tr v-for="each in stages" :key="each.name"><th scope="row">{{ each.name }}<b v-if="each.name === told.bottleneck_stage" class="sys-slow"> holds it back</b></th><td class="vd-num">{{ ms(each, "p50") }}</td><td class="vd-num">{{ ms(each, "p95") }}</td><td class="vd-num">{{ ms(each, "p99") }}</td><td class="sys-bars"><i v-for="which in bars" :key="which" :class="'sys-' + which" :style="{ width: 100 * each.times[which] / slowest + '%' }"></i></td><td v-if="!lately" class="vd-num">{{ percent(each.share) }}</td><td class="vd-num">{{ told.waiting[each.name] ?? "" }}</td></tr></tbody></table></div>
  <p v-if="told && !stages.length" class="vd-dim">Nothing was measured yet.</p>
</section>`,
  data: () => ({ whole: false, bars: WHICH }),
  computed: {
    enough() { return (this.told?.lately_s ?? 0) >= ENOUGH_S; },
    lately() { return this.enough && !this.whole; },
    words() {
      const minutes = Math.round((this.told?.lately_s ?? 0) / 60);
      return minutes > 1 ? `last ${minutes} min` : "last minute";
    },
    stages() { return (this.told?.stages ?? []).map((each) => ({ ...each, times: this.lately ? each.lately_ms : each.ms })); },
    slowest() { return Math.max(1, ...this.stages.map(({ times }) => times.p99)); },
  },
  methods: {
    percent,
    // A stage in which no frame was has no time.
    ms: ({ times }, which) => (times.p99 ? milliseconds(times[which]) : "–"),
  },
};
