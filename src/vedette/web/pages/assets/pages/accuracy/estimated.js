// Precision and recall by what people reviewed, beside the floors they must not fall below.
import { cameraHref, count, percent } from "vedette-pages";
import { Interval } from "./interval.js";

const FEW = 8;

export const Estimated = {
  components: { AccInterval: Interval },
  props: { told: Object },
  template: `
<section class="vd-panel" aria-labelledby="acc-estimated"><header><h2 id="acc-estimated">By what was reviewed</h2><span class="vd-dim vd-small">95% intervals</span></header>
  <div v-if="rows.length" class="vd-scrolls" tabindex="0" role="group" aria-label="By what was reviewed"><table class="vd-plain acc-estimates"><thead><tr><th scope="col">Of</th><th scope="col">Measure</th><th scope="col">Estimate</th><th scope="col" class="vd-num">Floor</th><th scope="col" class="vd-num">Frames</th></tr></thead>
    <tbody><tr v-for="each in shown" :key="each.camera + each.site + each.measure"><th scope="row"><a v-if="each.camera" :href="cameraHref(each.camera)">{{ each.camera }}</a><template v-else>site {{ each.site }}</template></th><td>{{ each.measure }}</td>
      <td><acc-interval v-if="each.value !== null" :value="each.value" :lower="each.lower" :upper="each.upper" :floor="each.floor" :lost="each.lost"/><span v-else class="vd-dim">too few frames yet</span></td>
      <td class="vd-num"><template v-if="each.floor !== null">{{ percent(each.floor) }}<b v-if="each.lost" class="acc-below"> below</b></template></td><td class="vd-num">{{ count(each.frames) }}</td></tr></tbody></table></div>
  <p v-else class="vd-dim">{{ told ? "Nobody reviewed frames yet; reviews say how much of it can be relied on." : "Asking…" }}</p>
  <button v-if="rows.length > few" type="button" class="vd-quiet" :aria-expanded="all" @click="all = !all">{{ all ? "Fewer" : "All " + rows.length }}</button>
</section>`,
  data: () => ({ all: false, few: FEW }),
  computed: {
    // What is lost first, then sites, then cameras.
    rows() { return [...(this.told?.sites ?? []), ...(this.told?.cameras ?? [])].sort((one, other) => other.lost - one.lost); },
    shown() { return this.all ? this.rows : this.rows.slice(0, FEW); },
  },
  methods: { cameraHref, count, percent },
};
